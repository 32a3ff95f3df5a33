# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Writes an initramfs: a cpio archive of the newc form, with programs and the libraries they need."""
import os
import re
import subprocess


class Initramfs:
    """A tree in memory: path -> (mode, contents or a host's file). Parents come by themselves."""

    def __init__(self):
        self.entries = {}
        self.libraries = set()

    def folder(self, path):
        path = path.strip("/")
        if path and path not in self.entries:
            self.folder(os.path.dirname(path))
            self.entries[path] = (0o040755, b"")

    def _put(self, path, mode, contents):
        path = path.strip("/")
        self.folder(os.path.dirname(path))
        self.entries[path] = (mode, contents)

    def text(self, path, contents, executable=False):
        self._put(path, 0o100755 if executable else 0o100644, contents.encode())

    def link(self, path, target):
        self._put(path, 0o120777, target.encode())

    def file(self, path, host_path):
        """The host's file, its contents as they are when the archive is written."""
        mode = os.stat(host_path).st_mode
        self._put(path, 0o100000 | (mode & 0o777), host_path)

    def tree(self, path, host_path):
        for folder, _, names in os.walk(host_path):
            for name in names:
                source = os.path.join(folder, name)
                self.file(os.path.join(path, os.path.relpath(source, host_path)), source)

    def program(self, path, host_path, library_path=()):
        """A program or library, with what ldd says it loads, which lies where it lies on the host."""
        self.file(path, host_path)
        env = dict(os.environ, LD_LIBRARY_PATH=":".join(library_path))
        listing = subprocess.run(["ldd", host_path], env=env, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True).stdout
        for library in re.findall(r"(/\S+) \(0x", listing):
            if library not in self.libraries:
                self.libraries.add(library)
                self.file(library, os.path.realpath(library))

    def write(self, out_path):
        number = 1
        with open(out_path, "wb") as out:
            for path in sorted(self.entries):
                mode, contents = self.entries[path]
                if isinstance(contents, str):
                    with open(contents, "rb") as source:
                        contents = source.read()
                self._member(out, number, path, mode, contents)
                number += 1
            self._member(out, 0, "TRAILER!!!", 0, b"")

    @staticmethod
    def _member(out, number, path, mode, contents):
        name = path.encode() + b"\0"
        fields = (number, mode, 0, 0, 2 if mode & 0o040000 else 1, 0, len(contents), 0, 0, 0, 0, len(name), 0)
        header = b"070701" + b"".join(b"%08x" % f for f in fields) + name
        out.write(header + b"\0" * (-len(header) % 4))
        out.write(contents + b"\0" * (-len(contents) % 4))
