#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""bench/run.py counts missed goals in its last line, and tools/check.py shows that line; it draws what it is asked to.

usage: tests/tools/test_bench_summary.py SOURCE
"""
import contextlib
import importlib.util
import io
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree

PROGRAM = """#!/bin/sh
echo 'cheap control / null system call                    2.00  goal <= 3.00    PASS'
echo 'routed control                                      9.00  goal <= 2.00    MISS'
echo 'threads                                             1.00  goal >= 2.00    MISS'
echo 'plot 1 4096 0.25'
echo 'plot 1 65536 0.75'
echo 'plot 2 4096 0.50'
echo 'modules: routed control                             9.00  goal <= 2.00    (TCG)'
exit %d
"""
CLOSING = "1 goals met, 2 missed (routed control; threads), 1 not judged"


def module(path):
    spec = importlib.util.spec_from_file_location(os.path.basename(path)[:-3], path)
    loaded = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loaded)
    return loaded


def bench(source, top, status):
    path = os.path.join(top, "bench", "bench_made_up")
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as out:
        out.write(PROGRAM % status)
    os.chmod(path, 0o755)
    return [sys.executable, os.path.join(source, "bench", "run.py"), "--build", top]


def main():
    source = sys.argv[1]
    with tempfile.TemporaryDirectory() as top:
        done = subprocess.run(bench(source, top, 0), stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 0 and done.stdout.splitlines()[-1] == CLOSING, done.stdout
        check = module(os.path.join(source, "tools", "check.py"))
        check.LOGS = top
        tally, shown = check.Tally(), io.StringIO()
        with contextlib.redirect_stdout(shown):
            check.script(tally, "bench", bench(source, top, 0))
        assert "    " + CLOSING in shown.getvalue().splitlines() and not tally.failed, shown.getvalue()
        picture = os.path.join(top, "picture.svg")
        subprocess.run([*bench(source, top, 0), "--plot", picture], stdout=subprocess.PIPE, check=True)
        lines = [e for e in xml.etree.ElementTree.parse(picture).iter() if e.tag.endswith("polyline")]
        ends = [[float(v) for v in e.get("points").split()[-1].split(",")] for e in lines]
        assert [len(e.get("points").split()) for e in lines] == [2, 1], lines
        assert ends[0][0] > ends[1][0] and ends[0][1] < ends[1][1], ends
        done = subprocess.run(bench(source, top, 3), stdout=subprocess.PIPE, text=True, check=False)
        assert done.returncode == 1, done.stdout
    print("1 passed, 0 failed")


if __name__ == "__main__":
    main()
