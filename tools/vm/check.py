#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Tests the kernel modules in a virtual machine, or shows them there.

usage: tools/vm/check.py check|check-full|demo|shell [--nvidia yes|no] [--kernel K --tests WHAT...]

check: the quick tests on Debian's kernel. check-full: all tests there, all but CUDA's long copies on the debug
kernel, the short form on 6.12 and with trapped register accesses. Prints a line a test and ends with 'N passed, N failed, N
skipped'; build/vm/runs/*/junit.xml has the same. Needs the build under build/plain.
"""
import argparse
import os
import re
import subprocess
import sys
import time
from xml.sax.saxutils import quoteattr

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
RUN = os.path.join(HERE, "run")
MISSING = 3
sys.path.insert(0, os.path.join(TOP, "tests", "vm"))

import compare  # noqa: E402

# Runs of the full tier: name, kernel, options of tools/vm/run, what runner.sh runs, seconds.
FULL_RUNS = [
    ("full", "6.1", [], ["full"], 2400),
    ("full-debug", "debug", ["--memory", "3072"], ["debug"], 5400),
    ("short-6.12", "6.12", [], ["short"], 900),
    ("trapped", "6.1", ["--smp", "1"], ["trapped"], 600),
]
OTHERS = {
    "strict-6.1": lambda: sparse("6.1"),
    "strict-6.12": lambda: sparse("6.12"),
    "packaging": lambda: packaging("6.1"),
}
PARTS = [*(run[0] for run in FULL_RUNS), *OTHERS]
QUICK_RUN = ("smoke", "6.1", [], ["smoke"], 600)

DEMO = r"""
. /vm/tests/lib.sh
set -e
load %(gpus)d
echo '# lspci -nn -d 10de:'; lspci -nn -d 10de:
echo; echo "# dmesg"; dmesg | grep -Ei ' (nvidia|nvrm|softh100|leafhopper-gpu)|10de:' 
echo; echo '# ls -l /dev/nvidia*'; ls -l /dev/nvidia*
echo; echo '# cat /proc/driver/nvidia/version'; cat /proc/driver/nvidia/version
if [ -x /usr/bin/nvidia-smi ]; then
	echo; echo '# nvidia-smi'; nvidia-smi
else
	echo; echo '# leafhopper smi'; leafhopper smi
fi
unload
"""


class Results:
    """What the tests of one virtual machine said, from its share, and what is added here."""

    def __init__(self, name):
        self.name = name
        self.folder = os.path.join(TOP, "build", "vm", "runs", name)
        self.rows = []

    def share(self, *path):
        return os.path.join(self.folder, "share", *path)

    def add(self, kind, test, seconds, why):
        self.rows.append((kind, test, seconds, why))
        print("%s %s/%s (%.1f s)%s" % (kind, self.name, test, seconds, ": " + why if why else ""), flush=True)

    def read(self, status):
        path = self.share("results")
        for line in open(path, errors="replace") if os.path.exists(path) else []:
            kind, test, seconds, why = (line.rstrip("\n").split("\t") + ["", "", "0", ""])[:4]
            self.add(kind, test, float(seconds or 0), why)
        running = self.share("running")
        if os.path.exists(running):
            self.add("not ok", open(running).read().strip(), 0, "the machine ended in this test (status %d)" % status)
        elif status and not any(kind == "not ok" for kind, *_ in self.rows):
            self.add("not ok", "machine", 0, "ended with status %d: %s" % (status, os.path.relpath(self.folder, TOP)))

    def show_logs(self):
        for kind, test, _, _ in self.rows:
            path = self.share("logs", test + ".log")
            if kind == "not ok" and os.path.exists(path):
                print("--- the end of %s ---" % os.path.relpath(path, TOP))
                print("".join(open(path, errors="replace").readlines()[-25:]))

    def junit(self):
        count = {kind: sum(k == kind for k, *_ in self.rows) for kind in ("ok", "not ok", "skip")}
        os.makedirs(self.folder, exist_ok=True)
        with open(os.path.join(self.folder, "junit.xml"), "w") as out:
            out.write('<?xml version="1.0"?>\n<testsuite name=%s tests="%d" failures="%d" skipped="%d">\n'
                      % (quoteattr("vm-" + self.name), len(self.rows), count["not ok"], count["skip"]))
            for kind, test, seconds, why in self.rows:
                out.write('  <testcase classname=%s name=%s time="%.1f"' % (
                    quoteattr("vm." + self.name), quoteattr(test), seconds))
                inside = {"ok": "", "skip": "<skipped message=%s/>", "not ok": "<failure message=%s/>"}[kind]
                out.write(">%s</testcase>\n" % (inside % quoteattr(why)) if inside else "/>\n")
            out.write("</testsuite>\n")
        return count


def run_machine(name, kernel, options, what, seconds, args):
    """One virtual machine with tests in it; (passed, failed, skipped)."""
    results, start = Results(name), time.time()
    full = args.mode == "check-full"
    calls = compare.prepare(TOP, args.build, full, name) if args.nvidia == "yes" else None
    command = [RUN, "--name", name, "--kernel", kernel, "--timeout", str(seconds), "--build", args.build,
               "--nvidia", args.nvidia, *options]
    for path in [calls] if calls else []:
        command += ["--copy", path]
    status = subprocess.run([*command, "--", "sh /vm/tests/runner.sh " + " ".join(what)],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL).returncode
    if status == MISSING:
        print("skip vm/%s: QEMU or the kernel %s is not to be had here" % (name, kernel))
        return 0, 0, 1
    results.read(status)
    if calls:
        for kind, test, why in compare.compare(results.share("got"), full, name):
            results.add(kind, test, 0, why)
    results.show_logs()
    count = results.junit()
    print("# %s on %s: %.0f s" % (name, kernel, time.time() - start))
    return count["ok"], count["not ok"], count["skip"]


def sparse(kernel):
    """The modules without a warning at W=1 and from sparse, in a folder of their own."""
    out = os.path.join(TOP, "build", "vm", "strict-" + kernel)
    made = subprocess.run([os.path.join(HERE, "kernel"), kernel], stdout=subprocess.PIPE, text=True)
    if made.returncode:
        print("skip vm/strict-%s: the kernel is not to be had here" % kernel)
        return 0, 0, 1
    command = ["make", "--no-print-directory", "-C", os.path.join(TOP, "host", "linux"), "-j%d" % os.cpu_count(),
               "KDIR=" + os.path.realpath(os.path.join(made.stdout.strip(), "headers")), "OUT=" + out, "check"]
    subprocess.run(["rm", "-rf", out + "-check"])
    built = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    warnings = [l for l in built.stdout.splitlines() if re.search(r"warning:|error:|WARNING", l)]
    bad = built.returncode != 0 or bool(warnings)
    print("%s vm/strict-%s (W=1, sparse)%s" % ("not ok" if bad else "ok", kernel,
                                              ": %d warnings" % len(warnings) if warnings else ""))
    print("\n".join(warnings[:30] or (built.stdout.splitlines()[-20:] if bad else [])))
    return int(not bad), int(bad), 0


def packaging(kernel):
    """DKMS and a staged installation; counts as tools/vm/packaging.py prints them."""
    made = subprocess.run([os.path.join(HERE, "kernel"), kernel], stdout=subprocess.PIPE, text=True)
    if made.returncode:
        print("skip vm/packaging: the kernel %s is not to be had here" % kernel)
        return 0, 0, 1
    folder = made.stdout.strip()
    release = open(os.path.join(folder, "release")).read().strip()
    run = subprocess.run([os.path.join(HERE, "packaging.py"), "--release", release,
                          "--headers", os.path.realpath(os.path.join(folder, "headers"))],
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = run.stdout.splitlines()
    print("\n".join(lines[:-1]))
    counts = re.fullmatch(r"(\d+) passed, (\d+) failed, (\d+) skipped", lines[-1] if lines else "")
    return tuple(int(n) for n in counts.groups()) if counts else (0, 1, 0)


def main():
    parser = argparse.ArgumentParser(description="test the kernel modules in a virtual machine")
    parser.add_argument("mode", choices=["check", "check-full", "demo", "shell"])
    parser.add_argument("--nvidia", default="yes", choices=["yes", "no"])
    parser.add_argument("--gpus", type=int, default=1, help="of the demo")
    parser.add_argument("--kernel", choices=["6.1", "6.12", "debug"], help="only this machine")
    parser.add_argument("--modules", metavar="DIR", help="modules that are built already")
    parser.add_argument("--build", default="build/plain", help="meson's folder")
    parser.add_argument("--name", default="chosen", help="of the folder under build/vm/runs")
    parser.add_argument("--tests", nargs="*", metavar="WHAT", help="a tier, a file of tests/vm/cases, or FILE:TEST")
    parser.add_argument("--part", choices=PARTS, help="of check-full, this alone; several may run at once")
    args = parser.parse_args()
    if args.nvidia == "yes" and subprocess.run([os.path.join(TOP, "tools", "nvidia-userspace.sh")], stdout=sys.stderr).returncode:
        args.nvidia = "no"
    if args.mode == "shell":
        return subprocess.run([RUN, "--kernel", args.kernel or "6.1", "--nvidia", args.nvidia, "--shell"]).returncode
    if args.mode == "demo":
        modules = ["--modules", args.modules] if args.modules else []
        return subprocess.run([RUN, "--name", "demo", "--kernel", args.kernel or "6.1", "--build", args.build,
                               "--nvidia", args.nvidia, *modules, "--", DEMO % {"gpus": args.gpus}]).returncode

    full = args.mode == "check-full"
    runs = FULL_RUNS if full else [QUICK_RUN]
    if args.part:
        runs = [run for run in runs if run[0] == args.part]
    if args.kernel or args.tests or args.modules:
        options = ["--memory", "3072"] if args.kernel == "debug" else []
        options += ["--modules", args.modules] if args.modules else []
        runs = [(args.name, args.kernel or "6.1", options, args.tests or ["smoke"], 3600)]
    totals = [run_machine(*run, args) for run in runs]
    if full:
        totals += [run() for name, run in OTHERS.items() if args.part in (None, name)]
    passed, failed, skipped = (sum(t[i] for t in totals) for i in range(3))
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
