#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Writes the profiles given as files into a C source: builtin_profiles of host/linux/gpu/gpu.h.

usage: profiles.py OUTPUT PROFILE...
"""
import os
import sys


def main():
    output, *paths = sys.argv[1:]
    lines = ["/* Made by host/linux/gpu/profiles.py. */", '#include "host/linux/gpu/gpu.h"', ""]
    table = []
    for number, path in enumerate(sorted(paths)):
        data = open(path, "rb").read()
        name = os.path.basename(path).removesuffix(".profile")
        rows = [", ".join(str(byte) for byte in data[at:at + 20]) for at in range(0, len(data), 20)]
        lines += ["static const unsigned char text_%d[] = {" % number, ",\n".join(rows), "};"]
        table.append('\t{ "%s", (const char *)text_%d, sizeof(text_%d) },' % (name, number, number))
    lines += ["", "const struct builtin_profile builtin_profiles[] = {", *table, "\t{ 0 },", "};"]
    with open(output, "w", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
