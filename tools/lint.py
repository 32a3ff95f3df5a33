#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Checks what a compiler does not: the arrows between folders, system headers in shared code, licence
lines, file sizes, formatting (clang-format) and cppcheck. Prints one line a finding; exit status 1
when there is any.

usage: tools/lint.py [--no-tools] [--no-cppcheck] [--build DIR]
"""
import argparse
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# Which folders a file may include from, by its own folder: the first match counts. Paths are as
# written in the #include line ("rm/server/server.h"); a file may always include from its own folder.
ARROWS = [
    # own folder prefix         may include
    ("src/base/", ["base/", "abi/status.h", "os/os.h"]),
    ("src/os/os.h", ["base/", "abi/status.h", "os/storage.h"]),
    ("src/os/crypto.h", ["os/os.h"]),
    ("src/os/hmac.c", ["os/crypto.h"]),
    ("src/os/hkdf.c", ["os/crypto.h"]),
    ("src/os/der.", ["os/os.h", "os/der.h"]),
    ("src/os/x509", ["os/crypto.h", "os/der.h", "os/x509.h"]),
    ("src/os/user/", ["os/", "base/", "abi/status.h"]),
    ("src/os/linux/", ["os/", "base/", "abi/status.h", "abi/gh100.h"]),
    ("src/rm/cc/", ["rm/", "os/os.h", "os/crypto.h", "abi/", "base/"]),
    ("src/rm/", ["rm/", "os/os.h", "abi/", "base/"]),
    ("src/uvm/", ["uvm/", "rm/rm.h", "rm/uvm.h", "os/os.h", "abi/", "base/"]),
    ("src/kms/", ["kms/", "rm/rm.h", "os/os.h", "abi/", "base/"]),
    ("src/h100/engine/", ["h100/", "os/os.h", "os/crypto.h", "abi/", "base/"]),
    ("src/h100/", ["h100/", "os/os.h", "abi/", "base/"]),
    ("abi/", ["abi/", "base/", "os/os.h"]),
    ("host/user/attest/", ["host/user/attest/", "abi/", "base/"]),
    ("host/user/adversary/", ["host/user/adversary/", "os/", "abi/", "base/"]),
    ("host/user/", ["host/user/", "rm/rm.h", "rm/trace.h", "uvm/uvm.h", "h100/h100.h", "os/", "abi/", "base/"]),
    ("host/linux/softh100/", ["host/linux/", "h100/function/", "os/", "abi/", "base/"]),
    ("host/linux/gpu/", ["host/linux/", "host/user/files.h", "h100/", "os/", "abi/", "base/"]),
    ("host/linux/nvidia/", ["host/linux/", "rm/rm.h", "rm/uvm.h", "rm/parameters.h", "os/", "abi/", "base/"]),
    ("host/linux/tests/", ["host/linux/", "tests/unit/", "os/", "abi/", "base/"]),
    ("host/linux/", ["host/linux/", "rm/rm.h", "uvm/uvm.h", "os/", "abi/", "base/"]),
]

# Code that also builds in the kernel: no system header at all.
SHARED = ("src/base/", "src/os/hmac.c", "src/os/hkdf.c", "src/os/der.", "src/os/x509", "src/rm/", "src/uvm/", "src/kms/", "src/h100/function/", "abi/")
SHARED_EXCEPT = ("src/base/types.h",)

# What only the kernel's own headers and macros make sense of: W=1 and sparse look at it instead
# (make -C host/linux check).
NO_CPPCHECK = ("src/os/linux/", "host/linux/nvidia/", "host/linux/softh100/", "host/linux/tests/",
               "host/linux/conftest/")

MAX_LINES = 800
# Shared code does not know whether it is in a kernel.
KERNEL_ONLY = re.compile(r"\b(__KERNEL__|CONFIG_[A-Z0-9_]+|LINUX_VERSION_CODE|__linux__)\b")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK|for now|not implemented)\b", re.I)


def files(*patterns):
    out = subprocess.run(["git", "-C", TOP, "ls-files", "-co", "--exclude-standard", *patterns],
                         check=True, capture_output=True, text=True).stdout.split()
    return [f for f in out if os.path.exists(os.path.join(TOP, f))]


def lint_file(path, report):
    text = open(os.path.join(TOP, path), encoding="utf-8").read()
    lines = text.splitlines()
    if not lines or "SPDX-License-Identifier: MIT OR GPL-2.0-only" not in "\n".join(lines[:2]):
        report(path, 1, "no SPDX line")
    if path.startswith(("src/", "host/")) and len(lines) > MAX_LINES:
        report(path, len(lines), "%d lines: more than one subject?" % len(lines))
    for n, line in enumerate(lines, 1):
        if len(line.expandtabs(8)) > 100:
            report(path, n, "line longer than 100 columns")
        if line != line.rstrip():
            report(path, n, "space at end of line")
        if path.startswith(("src/", "host/")) and UNFINISHED.search(line):
            report(path, n, "words of unfinished work")
        if path.startswith(SHARED) and path not in SHARED_EXCEPT and line.startswith("#") and \
                KERNEL_ONLY.search(line):
            report(path, n, "shared code asks whether it is in a kernel")
        m = re.match(r'\s*#\s*include\s+([<"])([^>"]+)[>"]', line)
        if m:
            lint_include(path, n, m.group(1), m.group(2), report)


def lint_include(path, n, kind, name, report):
    if kind == "<":
        if path.startswith(SHARED) and path not in SHARED_EXCEPT:
            report(path, n, "system header <%s> in shared code" % name)
        return
    folder = os.path.dirname(path)
    if "/" not in name and os.path.exists(os.path.join(TOP, folder, name)):
        return  # its own folder
    if "/" not in name and path.startswith(("host/", "tests/", "fuzz/", "bench/")):
        return
    for prefix, allowed in ARROWS:
        if path.startswith(prefix):
            if not any(name.startswith(a) for a in allowed):
                report(path, n, 'the design has no arrow to "%s"' % name)
            return


def run_tools(sources, build, cppcheck, report):
    if shutil.which("clang-format"):
        p = subprocess.run(["clang-format", "--dry-run", "-Werror", *sources], cwd=TOP,
                           capture_output=True, text=True)
        for line in p.stderr.splitlines():
            m = re.match(r"(\S+?):(\d+):\d+: error: (.*)", line)
            if m:
                report(m.group(1), int(m.group(2)), m.group(3))
    else:
        print("lint: clang-format is not installed: formatting not checked")
    if not cppcheck:
        return
    if shutil.which("cppcheck"):
        # As it is compiled for user space: the generated interface takes seconds to read, once for each configuration.
        p = subprocess.run(
            ["cppcheck", "-q", "-j%d" % os.cpu_count(), "--max-configs=1", "--enable=warning,portability", "--inline-suppr",
             "--std=c11", "--error-exitcode=1", "--suppress=missingIncludeSystem",
             "--suppress=normalCheckLevelMaxBranches", "--suppressions-list=tools/cppcheck.txt",
             "--template={file}:{line}: {id}: {message}", "-Isrc", "-I.", "-Isrc/os/user/include",
             "-I" + build,
             *[s for s in sources if s.endswith(".c") and s.startswith(("src/", "host/", "abi/")) and
               not s.startswith(NO_CPPCHECK)]],
            cwd=TOP, capture_output=True, text=True)
        for line in p.stderr.splitlines():
            m = re.match(r"(\S+?):(\d+): (.*)", line)
            if m:
                report(m.group(1), int(m.group(2)), m.group(3))
    else:
        print("lint: cppcheck is not installed: not run")


def main():
    parser = argparse.ArgumentParser(description="lint")
    parser.add_argument("--no-tools", action="store_true", help="skip clang-format and cppcheck")
    parser.add_argument("--no-cppcheck", action="store_true", help="skip cppcheck, which takes ten minutes of a processor")
    parser.add_argument("--build", default="build/plain", help="build tree with generated headers")
    args = parser.parse_args()
    found = []

    def report(path, line, what):
        found.append("%s:%d: %s" % (path, line, what))

    sources = files("*.c", "*.h")
    for path in sources:
        lint_file(path, report)
    if not args.no_tools:
        run_tools(sources, args.build, not args.no_cppcheck, report)
    for line in sorted(set(found)):
        print(line)
    print("lint: %d files, %d findings" % (len(sources), len(set(found))))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
