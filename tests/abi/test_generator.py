#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""The generator of abi/: what it makes of good statements, and that it refuses faulty ones with the
file and line. Usage: test_generator.py TOOLS_DIR"""

import os
import sys
import tempfile
import unittest

TOOLS = sys.argv.pop(1)
sys.path.insert(0, TOOLS)

from abi_gen import generate, load  # noqa: E402
from abigen.model import AbiError  # noqa: E402
from abigen.tables import hash32, hash_table  # noqa: E402


def stated(text, name='a.abi'):
    """(Abi, order) of a file with that text."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, name)
        with open(path, 'w', encoding='utf-8') as file:
            file.write(text)
        return load([path])


def headers(text, name='a.abi'):
    return generate(*stated(text, name))


# Each: what is wrong, the line that says so, a part of the message.
FAULTS = [
    ('bogus x', 1, 'no statement'),
    ('int', 1, 'constant missing'),
    ('int A', 1, 'value missing'),
    ('int A b', 1, 'no value'),
    ('int A 1 2', 1, 'not expected'),
    ('int 1A 1', 1, 'no constant'),
    ('int A 0x10000000000000000', 1, 'does not fit'),
    ('int A 1\nint A 2', 2, 'stated at a.abi:1 already'),
    ('bits A 0:3', 1, 'high is below low'),
    ('bits A 3', 1, 'high:low'),
    ('string A b', 1, 'quoted'),
    ('cap A 1', 1, 'byte:mask'),
    ('cap A 1:0x100', 1, 'byte:mask'),
    ('array A 0 4', 1, 'NAME(i)'),
    ('int A 1 # fine\nint B 2#no', 2, 'space before'),
    ('int A \\', 1, 'continues nowhere'),
    ('struct S {\nNvU32 a', 1, 'never closed'),
    ('struct S {\n}', 1, 'no fields'),
    ('struct S wide {\nNvU32 a\n}', 1, 'no option of a structure'),
    ('struct S {\nNvU33 a\n}', 2, 'NvU33 is stated nowhere'),
    ('struct S {\nNvU32 a\nNvU32 a\n}', 3, 'has a field a already'),
    ('struct S {\nNvU32 a sideways\n}', 2, 'no option of a field'),
    ('struct S {\nNvU32 a[0]\n}', 2, '0 elements'),
    ('struct S {\nNvU32 a[N]\n}', 2, 'constant N is stated nowhere'),
    ('struct S {\nNvU32 a[]\nNvU32 b\n}', 2, 'last field'),
    ('struct S {\nNvU32 a[2][]\n}', 2, 'first bound'),
    ('struct S {\nNvU8 a:9\n}', 2, 'no such bit-field'),
    ('struct S {\nNvU32 a string\n}', 2, 'array of bytes'),
    ('struct S {\nNvU32 a counted n\n}', 2, 'cannot be counted'),
    ('struct S {\nNvU32 n\nNvU32 p -> bytes times n max 4\n}', 3, 'only a NvP64 points'),
    ('struct S {\nNvP64 p -> bytes\n}', 2, '"times"'),
    ('struct S {\nNvP64 p -> bytes times n max 4\n}', 2, 'no field n'),
    ('struct S {\nNvU32 n\nNvP64 p -> bytes times n\n}', 3, '"max"'),
    ('struct S {\nNvU16 n\nNvP64 p -> bytes times n max 4\n}', 3, '4 or 8 byte'),
    ('struct S {\nNvU32 n\nNvP64 p -> T times n max 4\n}', 3, 'type T is stated nowhere'),
    ('struct S {\nNvU32 a when 1\n}', 2, 'members of a union'),
    ('struct S {\nunion u select t {\nNvU32 a\n}\n}', 2, 'no number t'),
    ('struct S {\nNvU32 t\nNvU32 a select t\n}', 3, 'only a union'),
    ('union U {\nNvU32 a when X\n}', 2, 'constant X is stated nowhere'),
    ('struct S {\nS s\n}', 1, 'holds itself'),
    ('struct S {\nT t\n}\nstruct T {\nS s\n}', 1, 'holds itself'),
    ('struct S {\nNvU32 a\n}\nint S 1', 1, 'stated at a.abi:4 already'),
    ('typedef NvU32 NvU64', 1, 'basic type'),
    ('typedef A B', 1, 'no basic type'),
    ('typedef A B\ntypedef B A', 1, 'no basic type'),
    ('control 1 A Nowhere none', 1, 'internal class Nowhere'),
    ('iclass C\ncontrol 1 A C S', 2, 'type S is stated nowhere'),
    ('iclass C\ncontrol 1 A C none flags X', 2, 'RMCTRL_FLAGS_X'),
    ('iclass C\ncontrol 1 A C none rights X', 2, 'RS_ACCESS_X'),
    ('iclass C\ncontrol 1 A C none becomes B', 2, 'control B is stated nowhere'),
    ('iclass C\ncontrol 1 A C none\ncontrol 1 B C none', 3, 'stated at a.abi:2 already'),
    ('iclass C\ncontrol 0x100000000 A C none', 2, '32 bits'),
    ('iclass C\nclass 1 A C many none', 2, 'neither single nor multi'),
    ('iclass C\nclass 1 A C multi maybe', 2, 'none of none'),
    ('iclass C\nclass 1 A C multi none parents D', 2, 'internal class D'),
    ('iclass C\nclass 1 A C multi none flags X', 2, 'RS_FLAGS_X'),
    ('escape 1 A S', 1, 'structure S is stated nowhere'),
    ('rpc 1 A\nrpc 1 B', 2, 'stated at a.abi:1 already'),
]


class Faults(unittest.TestCase):
    def test_each_is_refused_with_its_line(self):
        for text, line, part in FAULTS:
            with self.subTest(text=text):
                with self.assertRaises(AbiError) as caught:
                    stated(text + '\n')
                self.assertTrue(str(caught.exception).startswith(f'a.abi:{line}: '),
                                str(caught.exception))
                self.assertIn(part, str(caught.exception))

    def test_other_encodings_are_refused(self):
        with self.assertRaises(AbiError):
            stated('# \u00e4\n')


class Headers(unittest.TestCase):
    def test_constants(self):
        out = headers('int A 0x10\nint B 10\nint C 0x123456789\nint D -0x1\nbits E 7:4\n'
                      'range F 0x1f:0x10\nstring G "a b"\narray H(i) 0x100 0x4\n'
                      'bits-array I(i) 1:0 2\ncap J 1:0x80\n')['r535.h']
        for line in ('#define A 0x10u', '#define B 10', '#define C 0x123456789ull',
                     '#define D (-0x1u)', '#define E__HI 7', '#define E__LO 4',
                     '#define F__HI 0x1fu', '#define F__LO 0x10u', '#define G "a b"',
                     '#define H(i) (0x100u + (i) * 0x4u)', '#define I__HI(i) (1 + (i) * 2)',
                     '#define I__LO(i) (0 + (i) * 2)', '#define J__BYTE 1',
                     '#define J__MASK 0x80u'):
            self.assertIn(line + '\n', out)

    def test_structures_come_after_what_they_hold(self):
        out = headers('struct A size 8 alias A_t {\nB b\nNvU32 c\n}\n'
                      'struct B packed {\nNvU32 x[N][2]\n}\nint N 3\n')['r535.h']
        self.assertLess(out.index('} __attribute__((packed)) B;'), out.index('} A, A_t;'))
        self.assertIn('\tNvU32 x[3][2];\n', out)
        self.assertIn('_Static_assert(sizeof(A) == 8, "A");', out)

    def test_registers_have_a_header_of_their_own(self):
        out = headers('int NV_PMC 0x0\n', 'gh100.abi')
        self.assertIn('#define NV_PMC 0x0u\n', out['gh100.h'])
        self.assertNotIn('NV_PMC', out['r535.h'])

    def test_spdm_has_a_header_of_its_own(self):
        out = headers('int SPDM_GET_VERSION 0x84\n', 'spdm.abi')
        self.assertIn('#define SPDM_GET_VERSION 0x84u\n', out['spdm.h'])
        self.assertIn('#include "abi/r535.h"\n', out['spdm.h'])
        self.assertNotIn('SPDM_GET_VERSION', out['r535.h'])

    def test_a_continued_line_is_one_statement(self):
        abi, _ = stated('iclass C\ncontrol 5 A C \\\n  none \\\n  by_class\n')
        self.assertTrue(abi.controls[5].by_class)


class Hashes(unittest.TestCase):
    def test_every_key_is_found_and_no_other(self):
        keys = [i * 0x10000 + 1 for i in range(1000)]
        bits, slots = hash_table(keys)

        def find(key):
            at = hash32(key, bits)
            while slots[at]:
                if keys[slots[at] - 1] == key:
                    return slots[at] - 1
                at = (at + 1) % len(slots)
            return None

        self.assertEqual([find(k) for k in keys], list(range(1000)))
        self.assertIsNone(find(2))


if __name__ == '__main__':
    unittest.main()
