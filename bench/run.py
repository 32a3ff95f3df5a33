#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Runs every benchmark of a build and prints each ratio with its goal; a missed goal is no failure.

The last line counts them: 'N goals met, N missed (WHAT, ...), N not judged'. Exit status 1 only when a benchmark fails.

usage: bench/run.py --build build/release [--only NAME] [--plot FILE]

A program bench_NAME is run as it is; the lines it prints say what was measured. For those listed in
INSTRUCTIONS, callgrind counts the instructions of one operation, entry to return. FILE is an SVG of
what bench_ring measured.
"""
import argparse
import os
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import plot  # noqa: E402

# program -> (kind of operation as its first argument, what it is, goal in instructions)
INSTRUCTIONS = {
    "bench_rm": [("control", "instructions of a cheap control", 600),
                 ("child", "instructions of a child's alloc and free", 2000),
                 ("client", "instructions of a client's alloc and free", 4000)],
}
OPERATIONS = 1000


def count_instructions(program, kind):
    """Instructions of the requests of one operation, or None when callgrind is missing or failed."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=rm_ioctl",
                   "--callgrind-out-file=" + os.path.join(folder, "out"), program, kind,
                   str(OPERATIONS)]
        try:
            run = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
        except (OSError, subprocess.TimeoutExpired):
            return None
    found = re.search(r"Collected : (\d+)", run.stderr)
    return int(found.group(1)) / OPERATIONS if found and run.returncode == 0 else None


def report(what, value, goal):
    verdict = "PASS" if value <= goal else "MISS"
    line = "%-58s %9.2f  goal <= %-7.2f %s" % (what, value, goal, verdict)
    print(line, flush=True)
    return line


def summary(lines):
    """The closing line: how many goals the printed lines met, and which they missed."""
    met = sum(bool(re.search(r"\bPASS$", line)) for line in lines)
    missed = [line for line in lines if re.search(r"\bMISS$", line)]
    what = [re.split(r"\s{2,}", line.strip())[0] for line in missed]
    unjudged = sum(bool(re.search(r"goal [<>]= .*\(TCG\)$|not counted: ", line)) for line in lines)
    return "%d goals met, %d missed%s, %d not judged" % (
        met, len(missed), " (%s)" % "; ".join(what) if what else "", unjudged)


def run_program(program):
    """Passes on what it prints; its lines and whether it failed."""
    lines = []
    with subprocess.Popen([program], stdout=subprocess.PIPE, text=True) as run:
        for line in run.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    return lines, run.returncode != 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build/release")
    parser.add_argument("--only", default="", help="benchmarks whose name contains this")
    parser.add_argument("--plot", default="", help="where to draw bench_ring's figures")
    options = parser.parse_args()
    folder = os.path.join(options.build, "bench")
    names = sorted(f for f in os.listdir(folder)
                   if f.startswith("bench_") and os.access(os.path.join(folder, f), os.X_OK)
                   and os.path.isfile(os.path.join(folder, f)) and options.only in f)
    broken, lines = not names, []
    for name in names:
        program = os.path.join(folder, name)
        print("--", name, flush=True)
        for kind, what, goal in INSTRUCTIONS.get(name, []):
            value = count_instructions(program, kind)
            if value is None:
                lines.append("%-58s not counted: valgrind is missing or failed" % what)
                print(lines[-1], flush=True)
            else:
                lines.append(report(what, value, goal))
        printed, failed = run_program(program)
        lines += printed
        if failed:
            print("%s failed" % name)
            broken = True
    if options.plot and plot.points(lines):
        with open(options.plot, "w", encoding="utf-8") as out:
            out.write(plot.svg(plot.points(lines)))
    print(summary(lines))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
