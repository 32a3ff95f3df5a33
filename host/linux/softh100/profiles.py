#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Writes what softh100.ko has to know of each profile, before a process is there that parses it, into a
C header: the rows of struct soft_profile (host/linux/softh100/softh100_internal.h).

usage: profiles.py OUTPUT PROFILE...
"""
import os
import re
import sys

UNITS = {"KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30}
FIELDS = [
    ("identity.vendor_id", "vendor_id"),
    ("identity.device_id", "device_id"),
    ("identity.subsystem_vendor_id", "subsystem_vendor_id"),
    ("identity.subsystem_id", "subsystem_id"),
    ("identity.revision", "revision"),
    ("identity.link_generation", "pcie_generation"),
    ("identity.link_width", "pcie_lanes"),
    ("identity.bar_bytes[0]", "bar0"),
    ("identity.bar_bytes[1]", "bar1"),
    ("identity.bar_bytes[2]", "bar2"),
    ("identity.video_bytes", "memory"),
]


def number(path, key, text):
    m = re.fullmatch(r"(0[xX][0-9a-fA-F]+|\d+)(?:\s*(KiB|MiB|GiB))?", text)
    if not m:
        sys.exit("%s: %s: no number: %s" % (path, key, text))
    return int(m.group(1), 0) * UNITS.get(m.group(2), 1)


def parse(path):
    values = {}
    for line in open(path, encoding="utf-8"):
        key, equals, value = line.split("#")[0].partition("=")
        if equals:
            values[key.strip()] = value.strip()
    missing = [key for _, key in FIELDS if key not in values]
    if missing:
        sys.exit("%s: no %s" % (path, ", ".join(missing)))
    return [(field, number(path, key, values[key])) for field, key in FIELDS]


def main():
    output, *paths = sys.argv[1:]
    lines = ["/* Made by host/linux/softh100/profiles.py. */"]
    for path in sorted(paths):
        name = os.path.basename(path).removesuffix(".profile")
        lines += ["{", '\t.name = "%s",' % name]
        lines += ["\t.%s = 0x%xull," % (field, value) for field, value in parse(path)]
        lines.append("},")
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
