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
        self.write(os.path.join(self.folder, 'x.profile'), b'memory_bytes = 80 GiB\n')
        self.write(os.path.join(self.folder, 'y.profile'), b'memory_bytes = 141 GiB\n')

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
        """{(index, which): digest} as the build writes it."""
        output, rows = (os.path.join(self.folder, n) for n in ('out.c', 'out.tsv'))
        sys.argv = ['image.py', output, rows, '535.309.01', self.folder] + self.objects
        image.main()
        with open(rows, encoding='ascii') as file:
            lines = [line.rstrip('\n').split('\t') for line in file]
        return {(int(i), which): digest for i, _, which, digest in lines}

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
            self.assertEqual(self.changed(before), {(1, '-'), (2, '-')})

    def test_a_byte_of_a_profile_changes_it(self):
        before = self.measure()
        self.flip(os.path.join(self.folder, 'x.profile'), 3)
        self.assertEqual(self.changed(before), {(3, 'x')})

    def test_a_scenario_is_none(self):
        self.assertEqual(self.measure()[4, 'none'], image.sha384(b'').hex())


if __name__ == '__main__':
    unittest.main()
