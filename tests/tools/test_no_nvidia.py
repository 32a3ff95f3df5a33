#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""NVIDIA=no leaves NVIDIA's programs out, also where they were unpacked before.

usage: tests/tools/test_no_nvidia.py SOURCE
A copy of the front door runs in a folder of its own, where all that it would start says how it was
started instead.
"""
import os
import shutil
import subprocess
import sys
import tempfile

# Whoever is attacked notices.
SAYS = "#!/bin/sh\necho \"$(basename \"$0\")\" \"$@\"\ncase $* in *--adversary*) exit 1 ;; esac\n"


def put(path, text=SAYS):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(text)
    os.chmod(path, 0o755)


def make_tree(source, top):
    for path in ["Makefile", "tools/demo.sh", "tools/vm/check.py", "tests/vm/compare.py"]:
        os.makedirs(os.path.join(top, os.path.dirname(path)), exist_ok=True)
        shutil.copy(os.path.join(source, path), os.path.join(top, path))
    for path in ["tools/packages.sh", "tools/nvidia-userspace.sh", "tools/vm/run", "bin/ninja", "bin/meson",
                 "build/plain/host/user/leafhopper"]:
        put(os.path.join(top, path))
    put(os.path.join(top, "build/plain/build.ninja"), "")
    put(os.path.join(top, "build/nvidia/.complete"), "")


def make(top, *words, env=None):
    clean = {k: v for k, v in os.environ.items() if k not in ("NVIDIA", "MAKEFLAGS", "MFLAGS", "MAKELEVEL")}
    clean["PATH"] = os.path.join(top, "bin") + ":" + clean["PATH"]
    done = subprocess.run(["make", *words], cwd=top, env=dict(clean, **(env or {})), text=True, timeout=60,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    assert done.returncode == 0, done.stdout
    return done.stdout


def main():
    with tempfile.TemporaryDirectory() as top:
        make_tree(sys.argv[1], top)
        shown = make(top, "demo")
        assert "/nvidia-smi" in shown and "nvidia-userspace.sh" in shown, shown
        for words, env in ((["demo", "NVIDIA=no"], None), (["demo"], {"NVIDIA": "no"})):
            shown = make(top, *words, env=env)
            assert "nvidia" not in shown and "leafhopper smi" in shown, shown
        assert "--nvidia yes" in make(top, "vm-demo")
        shown = make(top, "vm-demo", "NVIDIA=no")
        assert "--nvidia no" in shown and "nvidia-userspace.sh" not in shown, shown
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
