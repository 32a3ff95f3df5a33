# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""An ACPI table for the virtual machine: an AC adapter that a test pulls out and puts back.

    Scope (\\_SB) { Device (ADP1) {
        Name (_HID, "ACPI0003")
        OperationRegion (SCR_, SystemIO, 0x3ff, 1)          // COM1's scratch register: nobody's
        Field (SCR_, ByteAcc, NoLock, Preserve) { SRCB, 8 } // 0: mains
        Name (LAST, 0)
        Method (_PSR) {
            Local0 = SRCB
            If (Local0 != LAST) { LAST = Local0; Notify (ADP1, 0x80) }
            If (Local0) { Return (0) }
            Return (1)
    } } }

Whoever asks for the state has a change notified. Encoded as ACPI 6.5, chapter 20, says.
"""
import struct

ZERO, ONE, LOCAL0 = b"\x00", b"\x01", b"\x60"


def name(text):
    return text.ljust(4, "_").encode()


def number(value):
    return b"\x0a" + struct.pack("B", value) if value < 256 else b"\x0b" + struct.pack("<H", value)


def package(contents):
    """The length counts itself: one byte, or two from 64 bytes on."""
    length = len(contents) + 1
    if length < 64:
        return struct.pack("B", length) + contents
    length += 1
    return struct.pack("BB", 0x40 | (length & 15), length >> 4) + contents


def scope(path, body):
    return b"\x10" + package(path + body)


def device(which, body):
    return b"\x5b\x82" + package(name(which) + body)


def named(which, value):
    return b"\x08" + name(which) + value


def store(value, target):
    return b"\x70" + value + target


def when(condition, body):
    return b"\xa0" + package(condition + body)


def method(which, body):
    return b"\x14" + package(name(which) + ZERO + body)


def returned(value):
    return b"\xa4" + value


def adapter():
    differs = b"\x92\x93" + LOCAL0 + name("LAST")
    state = method("_PSR", store(name("SRCB"), LOCAL0) +
                   when(differs, store(LOCAL0, name("LAST")) + b"\x86" + name("ADP1") + number(0x80)) +
                   when(LOCAL0, returned(ZERO)) + returned(ONE))
    region = b"\x5b\x80" + name("SCR") + b"\x01" + number(0x3ff) + ONE
    field = b"\x5b\x81" + package(name("SCR") + b"\x01" + name("SRCB") + b"\x08")
    return scope(b"\\" + name("_SB"), device("ADP1", named("_HID", b"\x0dACPI0003\0") + region + field +
                                             named("LAST", ZERO) + state))


def table():
    body = adapter()
    header = struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(body), 2, 0, b"LEAFHO", b"ADAPTER ", 1, b"LHOP", 1)
    whole = bytearray(header + body)
    whole[9] = -sum(whole) & 255
    return bytes(whole)
