#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Builds what a tier needs, runs its tests and counts them.

usage: tools/check.py quick|full|fuzz [--nvidia yes|no] [--vm yes|no] [--seconds N]   (of each fuzzer, full and fuzz)

Each step prints one line with its own counts; what failed is printed with the end of its log, which
stays under build/check/. The last line is 'N passed, N failed, N skipped'. A step that cannot run
(no package, no permission) counts as skipped and says why.
"""
import argparse
import json
import os
import queue
import re
import shutil
import subprocess
import sys
import threading
import time

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOGS = os.path.join(TOP, "build", "check")

# With sanitizers, -O2 and full debug information take a compiler twice the time. At -O1 it takes more to be possibly
# uninitialised than is: the plain build tells that.
LIGHT = ["-Doptimization=1", "-Dc_args=-g1 -Wno-maybe-uninitialized", "-Db_lundef=false"]

BUILDS = {
    "plain": (["--buildtype=debugoptimized"], {}),
    "release": (["--buildtype=release", "-Db_lto=true", "-Dlock_checks=false", "-Dalloc_faults=false"], {}),
    "asan": ([*LIGHT, "-Db_sanitize=address,undefined"], {}),
    "tsan": ([*LIGHT, "-Db_sanitize=thread"], {}),
    "clang": (["--buildtype=plain", "-Doptimization=0"], {"CC": "clang"}),
    "fuzz": (["-Dfuzzers=true", "-Db_sanitize=address,undefined", "-Db_lundef=false"], {"CC": "clang"}),
}

# Of the builds that no test runs in, what is needed.
TARGETS = {"fuzz": ["fuzzers"], "release": ["benchmarks"]}

SANITIZER_ENV = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0:exitcode=99",
    "UBSAN_OPTIONS": "halt_on_error=1:print_stacktrace=1",
    "TSAN_OPTIONS": "halt_on_error=1:exitcode=99:second_deadlock_stack=1",
}


class Tally:
    """Counts, and a printed step at a time: steps of two threads may end at once."""

    def __init__(self):
        self.lock = threading.Lock()
        self.passed, self.failed, self.skipped = 0, 0, 0
        self.failures = []

    def add(self, *step):
        with self.lock:
            self.add_locked(*step)

    def add_locked(self, name, passed, failed, skipped, notes, seconds, log):
        self.passed += passed
        self.failed += failed
        self.skipped += skipped
        print("%-34s %5d passed %3d failed %3d skipped  %6.1f s" % (name, passed, failed, skipped, seconds),
              flush=True)
        for note in notes:
            print("    " + note)
        if failed:
            self.failures.append(name)
            tail = open(log, errors="replace").read().splitlines()[-60:] if os.path.exists(log) else []
            print("    --- end of %s ---" % os.path.relpath(log, TOP))
            for line in tail:
                print("    " + line)
        sys.stdout.flush()


def run(command, log, env=None, timeout=None):
    """Runs a command with its output in log; returns its exit status, 124 for a timeout."""
    with open(log, "ab") as out:
        out.write(("$ %s\n" % " ".join(command)).encode())
        out.flush()
        try:
            return subprocess.run(command, cwd=TOP, stdout=out, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                  env=dict(os.environ, **(env or {})), timeout=timeout).returncode
        except subprocess.TimeoutExpired:
            out.write(b"timed out\n")
            return 124


def fresh_log(name):
    path = os.path.join(LOGS, name.replace(" ", "-") + ".log")
    if os.path.exists(path):
        os.unlink(path)
    return path


def build(tally, kind):
    log, start = fresh_log("build-" + kind), time.time()
    folder = os.path.join("build", kind)
    options, env = BUILDS[kind]
    rc = 0
    if not os.path.exists(os.path.join(TOP, folder, "build.ninja")):
        rc = run(["meson", "setup", folder, *options], log, env)
    if rc == 0:
        rc = run(["ninja", "-C", folder, *TARGETS.get(kind, [])], log, env)
    tally.add("build " + kind, int(rc == 0), int(rc != 0), 0, [], time.time() - start, log)
    return rc == 0


CMOCKA = re.compile(r"^\[\s+(PASSED|FAILED|SKIPPED)\s+\] (\d+) test", re.M)
GOALS = re.compile(r"^\d+ goals met, \d+ missed.*$", re.M)
PLAIN = re.compile(r"^(?:\w+: )?(\d+) passed, (\d+) failed(?:, (\d+) skipped)?$", re.M)


def count_output(text):
    """Counts a test program's own tests from its output: cmocka's totals, or our plain line."""
    m = PLAIN.findall(text)
    if m:
        return tuple(sum(int(x[i] or 0) for x in m) for i in range(3))
    totals = {"PASSED": 0, "FAILED": 0, "SKIPPED": 0}
    for kind, n in CMOCKA.findall(text):
        totals[kind] += int(n)
    return totals["PASSED"], totals["FAILED"], totals["SKIPPED"]


def meson_tests(tally, kind, without=()):
    log, start = fresh_log("tests-" + kind), time.time()
    folder = os.path.join(TOP, "build", kind)
    command = ["meson", "test", "-C", folder, "--no-rebuild", "--print-errorlogs", "-t",
               "6" if kind in ("asan", "tsan") else "3"]
    for suite in without:
        command += ["--no-suite", suite]
    run(command, log, SANITIZER_ENV)
    passed = failed = skipped = 0
    notes = []
    results = os.path.join(folder, "meson-logs", "testlog.json")
    if not os.path.exists(results):
        tally.add("tests " + kind, 0, 1, 0, ["no test log was written"], time.time() - start, log)
        return
    for line in open(results):
        test = json.loads(line)
        p, f, s = count_output((test.get("stdout") or "") + "\n" + (test.get("stderr") or ""))
        if test["result"] == "SKIP":
            skipped += 1
            notes.append("skipped: " + test["name"])
        elif test["result"] in ("OK", "EXPECTEDFAIL"):
            passed += p or 1
            skipped += s
            if f:
                failed += f
                notes.append("failed inside, though it exited 0: " + test["name"])
            if s:
                notes.append("%d skipped in %s" % (s, test["name"]))
        else:
            passed += p
            failed += max(f, 1)
            notes.append("FAILED: %s (%s)" % (test["name"], test["result"]))
    tally.add("tests " + kind, passed, failed, skipped, notes, time.time() - start, log)


def script(tally, name, command, env=None, timeout=None):
    """A test script that prints 'ok', 'not ok' and 'skip' lines and ends with the plain line."""
    log, start = fresh_log(name), time.time()
    rc = run(command, log, env, timeout)
    text = open(log, errors="replace").read()
    passed, failed, skipped = count_output(text)
    notes = [l for l in text.splitlines() if l.startswith(("not ok", "skip"))][:40]
    notes += GOALS.findall(text)
    if rc != 0 and not failed:
        failed = 1
        notes.append("exit status %d" % rc)
    if rc == 0 and not passed and not failed and not skipped:
        passed = 1
    tally.add(name, passed, failed, skipped, notes, time.time() - start, log)


def host_counts(tally):
    """The host's cases whose counts are smaller in the quick tier, at full size on the plain build."""
    command = ["python3", "tests/host/host.py", "--leafhopper", "build/plain/host/user/leafhopper",
               "--client", "build/plain/tests/host/host_client", "--kills", "1000", "--clients", "1000"]
    script(tally, "1000 clients killed", [*command, "kills"], timeout=1200)
    script(tally, "1000 clients at once", [*command, "many"], timeout=1200)


def hostile_host(tally, count):
    """That many manipulations by the hostile host, with the table of what noticed them."""
    log, start = fresh_log("hostile host"), time.time()
    rc = run(["build/plain/tests/hostile/test_hostile", "--count", str(count)], log, timeout=3600)
    text = open(log, errors="replace").read()
    passed, failed, skipped = count_output(text)
    table = [l for l in text.splitlines()[1:] if not PLAIN.match(l)]
    tally.add("hostile host, %d" % count, passed, failed or int(rc != 0), skipped, table if rc == 0 else [],
              time.time() - start, log)


def fuzz(tally, seconds):
    folder = os.path.join(TOP, "build", "fuzz", "fuzz")
    targets = sorted(f for f in os.listdir(folder) if f.startswith("fuzz_") and os.access(os.path.join(folder, f), os.X_OK)
                     and os.path.isfile(os.path.join(folder, f))) if os.path.isdir(folder) else []
    for target in targets:
        log, start = fresh_log("fuzz-" + target), time.time()
        corpus = os.path.join(TOP, "build", "corpus", target)
        os.makedirs(corpus, exist_ok=True)
        seeds = os.path.join(TOP, "fuzz", "corpus", target)
        rc = run([os.path.join(folder, target), "-max_total_time=%d" % seconds, "-timeout=25", "-rss_limit_mb=4096",
                  "-print_final_stats=1", "-artifact_prefix=" + LOGS + "/" + target + "-", corpus,
                  *([seeds] if os.path.isdir(seeds) else [])], log, SANITIZER_ENV, timeout=seconds * 4 + 120)
        m = re.search(r"stat::number_of_executed_units: (\d+)", open(log, errors="replace").read())
        notes = ["%s inputs" % m.group(1)] if m else []
        tally.add(target, int(rc == 0), int(rc != 0), 0, notes, time.time() - start, log)
    if not targets:
        tally.add("fuzz", 0, 1, 0, ["no fuzz target was built"], 0, "")


def nvidia_present(args, tally):
    if args.nvidia == "no":
        tally.add("nvidia's user space", 0, 0, 1, ["left out by NVIDIA=no: its conformance tests do not run"], 0, "")
        return False
    if os.path.exists(os.path.join(TOP, "build", "nvidia", ".complete")):
        return True
    log = fresh_log("nvidia-userspace")
    if run(["tools/nvidia-userspace.sh"], log) == 0:
        return True
    tally.add("nvidia's user space", 0, 0, 1, ["not fetched (no archive with non-free?): " + log], 0, log)
    return False


# Of the full tier's virtual machines and what else tools/vm/check.py does, the longest first.
VM_PARTS = ["full-debug", "full", "short-6.12", "strict-6.1", "strict-6.12", "packaging", "trapped"]


def virtual_machines(tally, full, nvidia, parts):
    """Takes parts until none is left; another thread may do so too."""
    command = ["python3", "tools/vm/check.py", "check-full" if full else "check", "--nvidia", "yes" if nvidia else "no"]
    if not full:
        script(tally, "virtual machine", command, timeout=800)
        return
    while True:
        try:
            part = parts.get_nowait()
        except queue.Empty:
            return
        script(tally, "vm " + part, [*command, "--part", part], timeout=7200)


def main():
    parser = argparse.ArgumentParser(description="build, test, count")
    parser.add_argument("tier", choices=["quick", "full", "fuzz"])
    parser.add_argument("--seconds", type=int, default=60, help="of each fuzzer, in the tiers full and fuzz")
    parser.add_argument("--nvidia", default=os.environ.get("NVIDIA") or "yes", choices=["yes", "no"])
    parser.add_argument("--vm", default=os.environ.get("VM") or "yes", choices=["yes", "no"])
    args = parser.parse_args()
    os.chdir(TOP)
    os.makedirs(LOGS, exist_ok=True)
    tally, start = Tally(), time.time()
    full = args.tier == "full"
    if args.tier == "fuzz":
        fuzz(tally, args.seconds)
        print("%d passed, %d failed, %d skipped" % (tally.passed, tally.failed, tally.skipped))
        return 1 if tally.failed else 0

    built = {"plain": build(tally, "plain")}
    nvidia = nvidia_present(args, tally)
    machine = None
    if args.vm == "no":
        tally.add("virtual machine", 0, 0, 1, ["left out by VM=no: the kernel modules are not tested"], 0, "")
    elif built["plain"]:
        parts = queue.SimpleQueue()
        for part in VM_PARTS:
            parts.put(part)
        machine = threading.Thread(target=virtual_machines, args=(tally, full, nvidia, parts))
        machine.start()
        # A machine in emulation keeps one processor busy, for long in the full tier: the rest takes what is left.
        os.nice(5)

    for kind in ["asan", "fuzz"] + (["tsan", "clang", "release"] if full else []):
        built[kind] = build(tally, kind)
    script(tally, "lint", ["python3", "tools/lint.py", "--build", "build/plain", *([] if full else ["--no-cppcheck"])])

    for kind in ["plain", "asan"] + (["tsan"] if full else []):
        if built[kind]:
            # The quick tier has the hostile host on the plain build alone: it takes minutes with sanitizers.
            meson_tests(tally, kind, ["hostile"] if kind == "asan" and not full else [])
    for kind in ["plain"] + (["asan", "tsan"] if full else []):
        if not built[kind]:
            continue
        tier = ["--full"] if full else []
        script(tally, "conformance " + kind,
               ["python3", "tests/conformance/run.py", "--build", "build/" + kind,
                *(["--nvidia", "build/nvidia"] if nvidia else []), *tier], SANITIZER_ENV,
               timeout=3600 if full else 600)
    if full and built["plain"]:
        host_counts(tally)
        hostile_host(tally, 100000)
    if built["fuzz"]:
        fuzz(tally, args.seconds if full else 3)
    if machine:
        if full:
            virtual_machines(tally, full, nvidia, parts)
        machine.join()
    # Speed last, when nothing else runs.
    if full and built["release"]:
        if shutil.which("valgrind"):
            script(tally, "bench", ["python3", "bench/run.py", "--build", "build/release"], timeout=1800)
        else:
            tally.add("bench", 0, 0, 1, ["valgrind is not installed"], 0, "")

    minutes = (time.time() - start) / 60
    print("tier %s: %.1f minutes" % (args.tier, minutes))
    if tally.failures:
        print("failed: " + ", ".join(tally.failures))
    print("%d passed, %d failed, %d skipped" % (tally.passed, tally.failed, tally.skipped))
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
