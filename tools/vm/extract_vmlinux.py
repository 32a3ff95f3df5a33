#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Takes the kernel proper (an ELF file that QEMU boots by its PVH entry) out of a bzImage.

usage: extract_vmlinux.py BZIMAGE VMLINUX

The bzImage would decompress itself in the guest, which costs seconds under software emulation.
Offsets are of the x86 boot protocol's setup header (Documentation/x86/boot.rst).
"""
import lzma
import shutil
import struct
import subprocess
import sys

SETUP_SECTS, MAGIC, PAYLOAD_OFFSET, PAYLOAD_LENGTH = 0x1f1, 0x202, 0x248, 0x24c


def decompress(payload):
    """The payload ends with the length of what it unpacks to, which xz, lz4 and zstd do not want."""
    if payload.startswith(b"\xfd7zXZ"):
        return lzma.LZMADecompressor().decompress(payload)
    tools = {b"\x02\x21\x4c\x18": ["lz4", "-d", "-c"], b"\x28\xb5\x2f\xfd": ["zstd", "-d", "-c"]}
    command = tools.get(payload[:4])
    if command is None:
        sys.exit("a compression that is not xz, lz4 or zstd: %s" % payload[:4].hex())
    if not shutil.which(command[0]):
        sys.exit("%s is not installed" % command[0])
    return subprocess.run(command, input=payload[:-4], stdout=subprocess.PIPE, check=True).stdout


def main():
    image = open(sys.argv[1], "rb").read()
    if image[MAGIC:MAGIC + 4] != b"HdrS":
        sys.exit(sys.argv[1] + " is not a bzImage")
    start = (image[SETUP_SECTS] or 4) * 512 + 512
    offset, length = struct.unpack_from("<II", image, PAYLOAD_OFFSET)
    kernel = decompress(image[start + offset:start + offset + length])
    if not kernel.startswith(b"\x7fELF"):
        sys.exit("the payload of " + sys.argv[1] + " is not an ELF file")
    with open(sys.argv[2], "wb") as out:
        out.write(kernel)


if __name__ == "__main__":
    main()
