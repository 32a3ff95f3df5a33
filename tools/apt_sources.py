#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Prints apt sources in deb822 form: the machine's own Debian archives with contrib and non-free added.

Reads /etc/apt/sources.list and sources.list.d; changes nothing.
"""
import glob
import os
import sys

WANTED = "main contrib non-free non-free-firmware"


def stanzas_of_list(text):
    for line in text.splitlines():
        line = line.split("#", 1)[0].strip()
        if not line.startswith("deb "):
            continue
        rest = line[4:].strip()
        options = ""
        if rest.startswith("["):
            options, rest = rest[1:].split("]", 1)
        words = rest.split()
        if len(words) < 3:
            continue
        stanza = {"Types": "deb", "URIs": words[0], "Suites": words[1], "Components": " ".join(words[2:])}
        for option in options.split():
            key, _, value = option.partition("=")
            stanza[{"signed-by": "Signed-By", "trusted": "Trusted"}.get(key, key)] = value
        yield stanza


def stanzas_of_deb822(text):
    stanza, key = {}, None
    for line in text.splitlines() + [""]:
        if line.startswith("#"):
            continue
        if not line.strip():
            if stanza:
                yield stanza
            stanza, key = {}, None
        elif line[0] in " \t" and key:
            stanza[key] += "\n" + line
        elif ":" in line:
            key, _, value = line.partition(":")
            stanza[key] = value.strip()


def main():
    found = []
    if os.path.exists("/etc/apt/sources.list"):
        found += stanzas_of_list(open("/etc/apt/sources.list").read())
    for path in sorted(glob.glob("/etc/apt/sources.list.d/*")):
        text = open(path).read()
        if path.endswith(".list"):
            found += stanzas_of_list(text)
        elif path.endswith(".sources"):
            found += stanzas_of_deb822(text)
    kept = []
    for stanza in found:
        if stanza.get("Enabled", "yes").lower() in ("no", "false"):
            continue
        if "deb" not in stanza.get("Types", "deb").split():
            continue
        # Debian's own archives have the component main; others (vendors' repositories) are left out
        # unless they call themselves Debian's.
        if "main" not in stanza.get("Components", "").split():
            continue
        if not any(s.split("-")[0].split("/")[0] in ("bookworm", "trixie", "stable", "oldstable", "sid", "testing")
                   for s in stanza.get("Suites", "").split()):
            continue
        stanza["Components"] = WANTED
        stanza["Types"] = "deb"
        kept.append(stanza)
    if not kept:
        sys.exit("no Debian archive among this machine's apt sources")
    for stanza in kept:
        for key, value in stanza.items():
            print("%s: %s" % (key, value))
        print()


if __name__ == "__main__":
    main()
