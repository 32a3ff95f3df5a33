#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Packages the modules the ways docs/testing-in-a-vm.md tells, into folders of their own, and takes them away again.

usage: tools/vm/packaging.py --headers DIR --release RELEASE [--work DIR]

dkms: from the source that `make dkms-source` lays out DKMS adds, builds, installs and removes the modules.
staged: `make install-modules DESTDIR=...` and its opposite. Needs the build under build/plain. Prints a line
a test and ends with 'N passed, N failed, N skipped'. Nothing outside of --work is written.
"""
import argparse
import glob
import lzma
import os
import re
import shutil
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MODULES = {"nvidia", "nvidia-uvm", "softh100"}


def call(*command):
    made = subprocess.run(command, cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True)
    if made.returncode:
        raise AssertionError("%s: status %d\n%s" % (" ".join(command), made.returncode, made.stdout[-3000:]))
    return made.stdout


def files_under(folder):
    return sorted(os.path.relpath(os.path.join(at, name), folder) for at, _, names in os.walk(folder) for name in names)


def built_for(path):
    """The kernel release that a module's file names."""
    data = open(path, "rb").read()
    data = lzma.decompress(data) if path.endswith(".xz") else data
    return re.search(rb"vermagic=(\S+)", data).group(1).decode()


def modules_in(folder, release):
    """Names of the modules there, each held to be for this kernel."""
    paths = glob.glob(os.path.join(folder, "**", "*.ko*"), recursive=True)
    for path in paths:
        assert built_for(path) == release, "%s is for %s" % (path, built_for(path))
    return {os.path.basename(path).split(".")[0] for path in paths}


def dkms(args):
    """add, build, install, remove; the tree of sources holds everything that the build needs."""
    root = os.path.join(args.work, "dkms")
    tree, installed = os.path.join(root, "tree"), os.path.join(root, "modules")
    os.makedirs(tree)
    os.makedirs(os.path.join(installed, args.release))
    call("make", "--no-print-directory", "-C", "host/linux", "DESTDIR=" + root, "dkms-source")
    version = re.search(r'^PACKAGE_VERSION="(.*)"', open(os.path.join(TOP, "host/linux/dkms.conf")).read(), re.M).group(1)
    module = "leafhopper/" + version
    where = ["--dkmstree", tree, "--sourcetree", os.path.join(root, "usr/src"), "--installtree", installed]
    kernel = ["-k", args.release, "--kernelsourcedir", args.headers, "-j", str(os.cpu_count()), "--no-depmod"]
    call("dkms", "add", module, *where)
    call("dkms", "build", module, *where, *kernel)
    call("dkms", "install", module, *where, *kernel)
    assert "installed" in call("dkms", "status", module, *where), "dkms status does not say installed"
    found = modules_in(installed, args.release)
    assert found == MODULES, "installed: %s" % found
    call("dkms", "remove", module, "--all", "--no-depmod", *where)
    assert not modules_in(installed, args.release), "dkms remove left modules"


def staged(args):
    """What a package would hold, and nothing of it left afterwards."""
    root = os.path.join(args.work, "staged")
    how = ["make", "--no-print-directory", "-C", "host/linux", "KDIR=" + args.headers, "DESTDIR=" + root,
           "OUT=" + os.path.join(args.work, "out")]
    call(*how, "install-modules")
    found = modules_in(root, args.release)
    assert found == MODULES, "installed: %s" % found
    for path in ["usr/sbin/leafhopper-gpu", "lib/firmware/nvidia/gsp_gh100.bin", "usr/lib/modprobe.d/leafhopper.conf",
                 "usr/lib/udev/rules.d/71-leafhopper.rules", "usr/lib/systemd/system/leafhopper-gpu.service"]:
        assert os.path.getsize(os.path.join(root, path)) > 0, path
    # A tree elsewhere has no kernel of its own, but modules_install may have made its indices.
    call(*how, "uninstall-modules")
    left = [f for f in files_under(root) if not os.path.basename(f).startswith("modules.")]
    assert not left, "left: %s" % left


def main():
    parser = argparse.ArgumentParser(description="package the modules")
    parser.add_argument("--headers", required=True, help="build tree of the kernel")
    parser.add_argument("--release", required=True)
    parser.add_argument("--work", default=os.path.join(TOP, "build", "vm", "packaging"))
    args = parser.parse_args()
    args.work = os.path.abspath(args.work)
    shutil.rmtree(args.work, ignore_errors=True)
    os.makedirs(args.work)
    os.environ["PATH"] += ":/usr/sbin:/sbin"
    passed = failed = skipped = 0
    for name, test in [("dkms", dkms), ("staged", staged)]:
        if name == "dkms" and not shutil.which("dkms"):
            print("skip packaging/dkms: DKMS is not installed")
            skipped += 1
            continue
        try:
            test(args)
            print("ok packaging/" + name)
            passed += 1
        except (AssertionError, OSError, AttributeError) as why:
            print("not ok packaging/%s: %s" % (name, why))
            failed += 1
    print("%d passed, %d failed, %d skipped" % (passed, failed, skipped))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
