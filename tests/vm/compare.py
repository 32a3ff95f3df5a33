# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""nvidia-smi's output in the virtual machine against that of the user-space host, call by call.

Only times and rates, places on the bus and process ids may differ: they are replaced by names on both sides.
"""
import difflib
import os
import re
import subprocess
import sys

# Beside the calls that the conformance tests make of one kind of machine.
QUICK_CALLS = [((), 0, None), (("-q",), 0, None), (("conf-compute", "-f"), 0, None), (("conf-compute", "-gm"), 0, None)]
BUS_ID = "0000:01:00.0"

REPLACED = [
    (re.compile(r"^\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}", re.M), "TIME"),
    (re.compile(r"\w{3} \w{3} +\d+ \d\d:\d\d:\d\d \d{4}"), "TIME"),
    (re.compile(r"[0-9A-Fa-f]{4,8}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9]"), "BUS-ID"),
    (re.compile(r"^(\s+(?:Bus|Device|Domain)\s+: )0x[0-9A-F]+$", re.M), r"\1PLACE"),
    # What was sampled since the GPU came up: nothing yet, or seconds of it.
    (re.compile(r"^(\s+(?:Duration|Number of Samples|Max|Min|Avg) +): (?:Not Found|\d+|\d+ %|[\d.]+ sec)$", re.M),
     r"\1: SAMPLES"),
    # Traffic of a moment.
    (re.compile(r"(Tx|Rx) Throughput( +): \d+ KB/s"), r"\1 Throughput\2: RATE"),
    (re.compile(r"<(tx_util|rx_util)>\d+ KB/s<"), r"<\1>RATE<"),
    # Made of the place on the bus.
    (re.compile(r"^(\s+Board ID\s+: )0x[0-9a-f]+$", re.M), r"\1PLACE"),
    (re.compile(r"<(pci_bus|pci_device|pci_domain|board_id)>[0-9A-Fa-fx]+<"), r"<\1>PLACE<"),
]


def calls(top, full):
    if not full:
        return [(1, words) for words, _, _ in QUICK_CALLS]
    sys.path.insert(0, os.path.join(top, "tests", "conformance"))
    import smi_every
    return [(gpus, words) for gpus in (1, 2) for words, _, _ in smi_every.CALLS]


def expected(top, machine):
    return os.path.join(top, "build", "vm", "expected", machine)


def prepare(top, build, full, machine):
    """Asks the user-space host, and writes the file of calls for the virtual machine; its path."""
    nvidia = os.path.join(top, "build", "nvidia")
    folder = expected(top, machine)
    os.makedirs(folder, exist_ok=True)
    env = dict(os.environ, LD_LIBRARY_PATH=os.path.join(nvidia, "usr/lib/x86_64-linux-gnu/nvidia/current"))
    listing = os.path.join(folder, "calls")
    with open(listing, "w") as out:
        for number, (gpus, words) in enumerate(calls(top, full)):
            answer = subprocess.run([os.path.join(top, build, "host/user/leafhopper"), "run", "--gpus", str(gpus),
                                     "--", os.path.join(nvidia, "usr/lib/nvidia/current/nvidia-smi"), *words],
                                    env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            for name, contents in (("out", answer.stdout), ("rc", b"%d\n" % answer.returncode)):
                with open(os.path.join(folder, "%d.%s" % (number, name)), "wb") as f:
                    f.write(contents)
            out.write("%d %d %s\n" % (number, gpus, " ".join(words).replace(BUS_ID, "BUS_ID")))
    return listing


def plain(path):
    text = open(path, encoding="utf-8", errors="replace").read()
    for pattern, name in REPLACED:
        text = pattern.sub(name, text)
    return text.splitlines()


def compare(got, full, machine):
    """Yields (kind, test, why) for each call that was made in the virtual machine."""
    top = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    if not os.path.isdir(got):
        return
    folder = expected(top, machine)
    for number, (gpus, words) in enumerate(calls(top, full)):
        test = "same output: nvidia-smi %s, %d GPUs" % (" ".join(words)[:60], gpus)
        if not os.path.exists(os.path.join(got, "%d.rc" % number)):
            yield "not ok", test, "was not asked"
            continue
        differences = []
        for kind in ("rc", "out"):
            ours, theirs = (plain(os.path.join(f, "%d.%s" % (number, kind))) for f in (folder, got))
            differences += [l for l in difflib.unified_diff(ours, theirs, "user space", "modules", lineterm="", n=0)
                            if not l.startswith(("---", "+++", "@@"))]
        yield "not ok" if differences else "ok", test, "; ".join(differences[:6])[:400]
