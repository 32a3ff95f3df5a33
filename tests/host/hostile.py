#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Clients that speak to the daemon's socket themselves and mean no good.

hostile.py --leafhopper PATH --client PATH CASE
"""
import argparse
import ctypes
import errno
import fcntl
import mmap
import os
import resource
import shutil
import socket
import stat
import struct
import subprocess
import sys
import tempfile
import time

import host

MAGIC, VERSION = 0x4c484f50, 3
CLIENT, FILE, ADMIN, CHANNEL = 1, 2, 3, 4
WELCOME, OPEN, IOCTL, POLL, TEXT, REPLY = 1, 2, 4, 5, 7, 10
SHM_SIZE = 4096 + 131072
ASKED, TOLD, DATA = 8, 72, 4096  # where either side's struct lh_msg and the data lie in the shared pages
REFUSED = 128
NODE_CONTROL, NODE_GPU, NODE_CAP = 0, 1, 2
NOBODY = 65534
SYS_FUTEX, FUTEX_WAKE = 202, 1
LIBC = ctypes.CDLL(None)
LIBC.syscall.argtypes = [ctypes.c_long, ctypes.c_void_p, ctypes.c_int, ctypes.c_uint, ctypes.c_void_p,
                         ctypes.c_void_p, ctypes.c_uint]


def hello(role, conn=(0, 0, 0), token=0):
    return struct.pack('<IIIIQQQQ', MAGIC, VERSION, role, 0, *conn, token)


def pages():
    fd = os.memfd_create('leafhopper-channel', os.MFD_ALLOW_SEALING)
    os.ftruncate(fd, SHM_SIZE)
    fcntl.fcntl(fd, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW)
    return fd


def dial(path):
    s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    s.connect(path)
    s.settimeout(10)
    return s


class Raw:
    """A connection with one channel, made by hand."""

    def __init__(self, path):
        self.path = path
        self.tokens = 0
        self.files = []
        self.sock = dial(path)
        fd = pages()
        self.shm = mmap.mmap(fd, SHM_SIZE)
        socket.send_fds(self.sock, [hello(CLIENT)], [fd])
        os.close(fd)
        self.seen = 0
        self.conn = self.ask(WELCOME)[1][:3]

    def post(self, op, args=(), size=0, ahead=()):
        args = list(args) + [0] * (4 - len(args))
        pieces, at = [0, 0], DATA
        for i, (address, data) in enumerate(ahead):
            args[2 + i], pieces[i] = address, len(data)
            self.shm[at:at + len(data)] = data
            at += len(data)
        self.shm[ASKED:ASKED + 56] = struct.pack('<IiQQQQIIHHI', op, 0, *args, size, 0, *pieces, 0)
        self.seen += 1
        struct.pack_into('<I', self.shm, 0, self.seen)
        word = ctypes.c_char.from_buffer(self.shm)
        LIBC.syscall(SYS_FUTEX, ctypes.byref(word), FUTEX_WAKE, 1, None, None, 0)

    def wait(self, seconds=10):
        end = time.time() + seconds
        while struct.unpack_from('<I', self.shm, 64)[0] == self.seen - 1:
            assert time.time() < end, 'no answer'
            time.sleep(0.0005)
        return struct.unpack_from('<IiQQQQII', self.shm, TOLD)

    def ask(self, op, args=(), size=0):
        self.post(op, args, size)
        got = self.wait()
        assert got[0] == REPLY, got
        return got[1], got[2:6], got[6]

    def open(self, node, minor, flags=os.O_RDWR):
        self.tokens += 1
        sock = dial(self.path)
        sock.send(hello(FILE, self.conn, self.tokens))
        self.files.append(sock)
        return self.ask(OPEN, (self.tokens, node, minor, flags))[0]

    def close(self):
        for sock in self.files:
            sock.close()
        self.sock.close()


def case_wrong_datagrams():
    """A datagram with a descriptor that the daemon refuses leaves it no descriptor."""
    with host.Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        for role in [0, CLIENT, FILE, ADMIN, 9] * 10:
            raw = Raw(m.socket)
            fd = pages()
            socket.send_fds(raw.sock, [hello(role)], [fd])
            os.close(fd)
            assert raw.sock.recv(1) == b''
            raw.close()
        assert m.settle(before) == before, (before, m.holdings())


def case_innocents():
    """A connection that dies within a request takes no other's socket along."""
    with host.Machine() as m:
        innocents = []
        for _ in range(200):
            raw = Raw(m.socket)
            assert raw.open(NODE_CONTROL, 255) == 0
            file_id = struct.unpack_from('<Q', raw.shm, TOLD + 8)[0]
            # Starts the GPU, which takes a while, and then has something for the client:
            # NV_ESC_ATTACH_GPUS_TO_FD in an NV_ESC_IOCTL_XFER_CMD.
            raw.post(IOCTL, (file_id, 0xc01046d3, 4096),
                     ahead=[(4096, struct.pack('<IIQ', 212, 4, 8192)), (8192, b'\0\1\0\0')])
            raw.close()
            innocents.append(Raw(m.socket))
            if len(innocents) < 20:
                continue
            for other in innocents:
                assert other.ask(WELCOME)[0] == 0
                other.sock.setblocking(False)
                try:
                    assert other.sock.recv(1), 'shut down'
                except BlockingIOError:
                    pass
                other.close()
            innocents = []


def case_placeholders():
    """Nobody but its owner may write into the tree, whatever mode a node shows."""
    with host.Machine('--socket-mode', '666') as m:
        for top, _, names in os.walk(os.path.join(m.place, 'root')):
            for name in names:
                mode = os.lstat(os.path.join(top, name)).st_mode
                assert stat.S_ISLNK(mode) or mode & 0o022 == 0, (top, name, oct(mode))
        assert m.command('enter', '--', 'stat', '-c', '%a', '/dev/nvidia0').stdout == '666\n'
        if os.geteuid() == 0:
            run = 'chmod 640 /dev/nvidia0 && stat -c %a,%t,%T /dev/nvidia0'
            assert m.command('enter', '--', 'sh', '-c', run).stdout == '640,c3,0\n'


def as_user(groups, function):
    """Runs function in a child as nobody with these groups; what it returned, a small number."""
    pid = os.fork()
    if pid == 0:
        code = 255
        try:
            os.setgroups(groups)
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            code = function()
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def case_permissions():
    """The daemon itself keeps to the nodes' modes."""
    if os.geteuid() != 0:
        sys.exit(host.SKIPPED)
    with host.Machine('--socket-mode', '666') as m:
        def opens(node, minor, flags=os.O_RDWR, groups=()):
            return as_user(list(groups), lambda: -Raw(m.socket).open(node, minor, flags))
        assert opens(NODE_CONTROL, 255) == 0 and opens(NODE_GPU, 0) == 0
        assert opens(NODE_CAP, 1, os.O_RDONLY) == errno.EACCES
        assert opens(NODE_CAP, 2, os.O_RDONLY) == 0
        assert opens(NODE_GPU, 9) == errno.EACCES
        change = 'chmod 640 /dev/nvidia0 && chown 0:77 /dev/nvidia0 && chmod 600 /dev/nvidiactl'
        assert m.command('enter', '--', 'sh', '-c', change).returncode == 0
        assert opens(NODE_CONTROL, 255) == errno.EACCES
        assert opens(NODE_GPU, 0, os.O_RDONLY) == errno.EACCES
        assert opens(NODE_GPU, 0, os.O_RDONLY, [76, 77]) == 0
        assert opens(NODE_GPU, 0, os.O_RDWR, [76, 77]) == errno.EACCES
        assert Raw(m.socket).open(NODE_GPU, 0) == 0


def case_place():
    """A directory that others made or may change is no place for a machine."""
    with tempfile.TemporaryDirectory(prefix='lh-test-') as top:
        def up(name):
            env = dict(os.environ, LEAFHOPPER_SOCKET=os.path.join(top, name, 'socket'))
            got = subprocess.run([host.args.leafhopper, 'up', '--socket-mode', '666'], env=env,
                                 stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60)
            if got.returncode == 0:
                mode = os.stat(os.path.join(top, name)).st_mode & 0o777
                subprocess.run([host.args.leafhopper, 'down'], env=env, check=True, timeout=60)
                return mode
            return None
        victim = os.path.join(top, 'victim')
        with open(victim, 'w') as f:
            f.write('precious')
        for name, mode in ('open', 0o777), ('mine', 0o700), ('log', 0o700):
            os.mkdir(os.path.join(top, name))
            os.chmod(os.path.join(top, name), mode)
        os.symlink(os.path.join(top, 'mine'), os.path.join(top, 'link'))
        os.symlink(victim, os.path.join(top, 'log', 'log'))
        assert up('open') is None and up('link') is None
        assert up('mine') == 0o700
        old = os.umask(0o077)
        assert up('new') == 0o755
        os.umask(old)
        up('log')
        with open(victim) as f:
            assert f.read() == 'precious'
        if os.geteuid() == 0:
            os.mkdir(os.path.join(top, 'theirs'), 0o700)
            os.chown(os.path.join(top, 'theirs'), NOBODY, NOBODY)
            assert up('theirs') is None


def case_up():
    """Of commands that bring up one machine at once, one does; it keeps nothing of its caller's."""
    with tempfile.TemporaryDirectory(prefix='lh-test-') as top:
        env = dict(os.environ, LEAFHOPPER_SOCKET=os.path.join(top, 'm', 'socket'))
        for _ in range(5):
            pipe = os.pipe()
            kids = [subprocess.Popen([host.args.leafhopper, 'up'], env=env, pass_fds=pipe,
                                     stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for _ in range(4)]
            assert sorted(kid.wait(60) for kid in kids) == [0, 1, 1, 1]
            os.close(pipe[1])
            assert os.read(pipe[0], 1) == b''
            os.close(pipe[0])
            subprocess.run([host.args.leafhopper, 'status'], env=env, check=True,
                           stdout=subprocess.DEVNULL, timeout=60)
            subprocess.run([host.args.leafhopper, 'down'], env=env, check=True, timeout=60)
            assert os.listdir(top) == []
        bad = dict(env, LEAFHOPPER_PRELOAD='/nonexistent')
        assert subprocess.run([host.args.leafhopper, 'up'], env=bad, stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, timeout=60).returncode == 1
        assert os.listdir(top) == []


def case_crowd():
    """One thread too many is refused, and the connection's others go on."""
    with host.Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        raw = Raw(m.socket)
        channels = []
        for _ in range(1100):
            fd = pages()
            channels.append(mmap.mmap(fd, SHM_SIZE))
            socket.send_fds(raw.sock, [hello(CHANNEL)], [fd])
            os.close(fd)
        end = time.time() + 20
        while time.time() < end and not refusal(channels[-1]):
            time.sleep(0.01)
        assert [refusal(shm) for shm in channels] == 1023 * [0] + 77 * [errno.ENOMEM]
        assert raw.ask(WELCOME)[0] == 0
        raw.close()
        assert m.settle(before) == before, (before, m.holdings())


def refusal(shm):
    return struct.unpack_from('<I', shm, REFUSED)[0]


def case_silent():
    """Sockets that say nothing do not keep others out, nor do ones that only ask for status."""
    with host.Machine('--socket-mode', '666') as m:
        resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(
            resource.RLIMIT_NOFILE)[1]))
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        silent = [dial(m.socket) for _ in range(1500)]
        admins = [dial(m.socket) for _ in range(300)]
        for sock in admins:
            sock.send(hello(ADMIN))
        assert m.start('basics').wait(timeout=3) == 0
        assert m.command('status').returncode == 0
        now = m.settle(None, 0.3)[0]
        assert now <= before[0] + 1024 + 64, (before, now)
        for sock in silent + admins:
            sock.close()
        assert m.settle(before) == before, (before, m.holdings())


def case_greed():
    """One user cannot have all the descriptors that there are."""
    if os.geteuid() != 0:
        sys.exit(host.SKIPPED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    with host.Machine('--socket-mode', '666') as m:
        limit = int(next(line for line in open(f'/proc/{m.pid}/limits')
                         if line.startswith('Max open files')).split()[3])

        def take():
            raw = Raw(m.socket)
            fds = []
            while True:
                start = time.monotonic()
                result = raw.open(NODE_CONTROL, 255)
                if result:
                    break
                fds.append(raw.files[-1])
                if len(fds) > limit // 2:
                    return 1
            # Told at once.
            if result != -errno.EMFILE or time.monotonic() - start > 1.5:
                return 3
            alive = subprocess.run([host.args.leafhopper, 'status'], env=m.env,
                                        stdout=subprocess.DEVNULL).returncode
            return 0 if len(fds) > limit // 4 and not alive else 2
        assert as_user([], take) == 0


def case_modules():
    """The list of modules: there with or without a kernel's, and no addresses for ordinary users."""
    if os.geteuid() != 0:
        sys.exit(host.SKIPPED)
    driver = 'nvidia 56823808 1 nvidia_uvm, Live 0x0000000000000000 (OE)'
    with host.Machine('--socket-mode', '666') as m:
        def modules():
            raw = Raw(m.socket)
            path = b'/proc/modules'
            raw.shm[DATA:DATA + len(path)] = path
            result, _, size = raw.ask(TEXT, (0,), len(path))
            assert result == 0
            return raw.shm[DATA:DATA + size].decode()
        assert modules().splitlines()[-1] == driver

        def hidden():
            lines = modules().splitlines()
            return 0 if all(line.split()[5] == '0x' + 16 * '0' for line in lines) else 1
        assert as_user([], hidden) == 0
        assert m.command('enter', '--', 'grep', '-c', '^nvidia ', '/proc/modules').stdout == '1\n'


CASES = {name[5:]: fn for name, fn in list(globals().items()) if name.startswith('case_')}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--leafhopper', required=True)
    parser.add_argument('--client', required=True)
    parser.add_argument('case', choices=sorted(CASES))
    host.args = parser.parse_args()
    host.args.leafhopper = os.path.abspath(host.args.leafhopper)
    host.args.client = os.path.abspath(host.args.client)
    os.environ.pop('LEAFHOPPER_SOCKET', None)
    CASES[host.args.case]()


if __name__ == '__main__':
    main()
