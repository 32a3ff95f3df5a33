#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""What `make install` puts in place works from there, wherever that is.

usage: test_install.py BUILD yes|no     the last: whether programs of the build run without a sanitizer's runtime
"""
import glob
import os
import subprocess
import sys
import tempfile

build, plain = sys.argv[1:]


def run(*command):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    return done.returncode, done.stdout


def check(name, good, text):
    print("%s %s%s" % ("ok" if good else "not ok", name, "" if good else "\n" + text))
    return good


def main():
    os.environ.pop("LEAFHOPPER_PRELOAD", None)
    with tempfile.TemporaryDirectory() as root:
        rc, text = run("meson", "install", "-C", build, "--no-rebuild", "--destdir", root)
        good = check("installed", rc == 0, text)
        found = glob.glob(root + "/**/bin/leafhopper", recursive=True)
        leafhopper = found[0] if found else "leafhopper"
        rc, text = run(leafhopper, "run", "--", "sh", "-c", "test -c /dev/nvidia0")
        good &= check("a program sees a GPU", rc == 0, text)
        if plain == "yes":
            rc, text = run(leafhopper, "run", "--cc", "on", "--", leafhopper, "attest")
            good &= check("a GPU is attested by the installed reference", rc == 0, text)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
