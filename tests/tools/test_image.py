# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""The firmware's image and the reference file of its measurements: one changed byte of object code or
profile is another measurement, and no other one changes. Usage: test_image.py TOP"""
import importlib.util
import os
import shutil
import sys
import tempfile
import unittest

TOP = sys.argv.pop(1)
spec = importlib.util.spec_from_file_location('image', os.path.join(TOP, 'src/h100/gsp/image.py'))
image = importlib.util.module_from_spec(spec)
spec.loader.exec_module(image)


class Measurements(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp()
        self.objects = []
        for name, data in (('a.o', b'code of a' * 100), ('b.o', bytes(1000))):
            self.objects.append(os.path.join(self.folder, name))
            self.write(self.objects[-1], data)
        self.write(os.path.join(self.folder, 'x.profile'), b'memory_bytes = 80 GiB\nvbios_version = "96.00.AA.00.01"\n')
        self.write(os.path.join(self.folder, 'y.profile'), b'memory_bytes = 141 GiB\nvbios_version = "96.00.99.00.01" # of two\n')

    def tearDown(self):
        shutil.rmtree(self.folder)

    @staticmethod
    def write(path, data):
        with open(path, 'wb') as file:
            file.write(data)

    def flip(self, path, at):
        with open(path, 'r+b') as file:
            file.seek(at)
            byte = file.read(1)[0]
            file.seek(at)
            file.write(bytes([byte ^ 1]))

    def measure(self):
        """{(number or field, which): digest or version} as the build writes it."""
        output, rows = (os.path.join(self.folder, n) for n in ('out.c', 'out.tsv'))
        sys.argv = ['image.py', output, rows, '535.309.01', self.folder] + self.objects
        image.main()
        with open(rows, encoding='ascii') as file:
            lines = [line.rstrip('\n').split('\t') for line in file]
        return {(int(i) if i.isdigit() else i, which): value for i, _, which, value in lines}

    def changed(self, before):
        after = self.measure()
        self.assertEqual(before.keys(), after.keys())
        return {key for key in before if before[key] != after[key]}

    def test_the_same_is_measured_the_same(self):
        self.assertEqual(self.changed(self.measure()), set())

    def test_a_byte_of_code_changes_the_firmware(self):
        for path, at in ((self.objects[0], 0), (self.objects[0], 899), (self.objects[1], 500)):
            before = self.measure()
            self.flip(path, at)
            self.assertEqual(self.changed(before), {(1, '-'), (2, '-'), ('fwid', '-')})

    def test_a_byte_of_a_profile_changes_it(self):
        before = self.measure()
        self.flip(os.path.join(self.folder, 'x.profile'), 3)
        self.assertEqual(self.changed(before), {(3, 'x')})

    def test_a_scenario_is_none(self):
        self.assertEqual(self.measure()[4, 'none'], image.sha384(b'').hex())

    def test_versions_are_told(self):
        measured = self.measure()
        self.assertEqual(measured['driver', '-'], '535.309.01')
        self.assertEqual(measured['vbios', 'x'], '96.00.aa.00.01')
        self.assertEqual(measured['vbios', 'y'], '96.00.99.00.01')
        self.assertEqual(measured['fwid', '-'], measured[2, '-'])

    def test_a_profile_without_version_is_refused(self):
        self.write(os.path.join(self.folder, 'y.profile'), b'memory_bytes = 141 GiB\n')
        self.assertRaises(SystemExit, self.measure)


if __name__ == '__main__':
    unittest.main()
