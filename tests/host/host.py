#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Tests of the user-space host: programs on a machine of their own or on a shared one.

host.py --leafhopper PATH --client PATH [--kills N] [--clients N] CASE
"""
import argparse
import json
import os
import random
import re
import resource
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time

args = None
IN_MACHINE = ['basics', 'files', 'descriptors', 'faults', 'threads', 'signals', 'poll', 'vfork',
              'jumps', 'listing', 'inherited', 'moves', 'link']
SKIPPED = 77


def preload():
    """What to put in front of the tests' client, last our library: sanitized as the client is."""
    folder = os.path.dirname(args.leafhopper)
    sanitized = os.path.join(folder, 'libleafhopper-preload-sanitized.so')
    if not os.path.exists(sanitized):
        return [os.path.join(folder, 'libleafhopper-preload.so')]
    # The runtime calls functions of the C library that ours stands before, too early for it.
    needed = subprocess.run(['ldd', args.client], check=True, text=True, stdout=subprocess.PIPE)
    return [*re.findall(r'lib[at]san\S* => (\S+)', needed.stdout), sanitized]


def client_env(env=None):
    """TSan looks up the names in a report through our library, which would have it report again."""
    env = dict(os.environ if env is None else env, LEAFHOPPER_PRELOAD=':'.join(preload()))
    return dict(env, TSAN_OPTIONS=env.get('TSAN_OPTIONS', '') + ':symbolize=0')


class Machine:
    """A shared machine in a directory of its own."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix='lh-test-')
        os.chmod(self.dir, 0o755)
        self.place = os.path.join(self.dir, 'm')
        self.socket = os.path.join(self.place, 'socket')
        self.env = dict(os.environ, LEAFHOPPER_SOCKET=self.socket)
        self.options = options

    def __enter__(self):
        self.command('up', *self.options, check=True)
        status = self.command('status', check=True).stdout
        self.pid = int(status.split('pid ')[1].split(',')[0])
        return self

    def __exit__(self, *_):
        self.command('down')
        shutil.rmtree(self.dir, ignore_errors=True)

    def command(self, *argv, check=False, **kw):
        return subprocess.run([args.leafhopper, *argv], env=self.env, check=check, text=True,
                              stdout=subprocess.PIPE, timeout=60, **kw)

    def start(self, *argv, **kw):
        return subprocess.Popen([args.leafhopper, 'enter', '--', args.client, *argv],
                                env=client_env(self.env), text=True, **kw)

    def holdings(self):
        """What the daemon holds on behalf of clients: descriptors, threads, channel pages."""
        proc = f'/proc/{self.pid}'
        with open(f'{proc}/maps') as maps:
            channels = sum('leafhopper-channel' in line for line in maps)
        return len(os.listdir(f'{proc}/fd')), len(os.listdir(f'{proc}/task')), channels

    def settle(self, expected, seconds=10):
        """Waits for the daemon to hold what it held before; returns what it does hold."""
        end = time.time() + seconds
        while time.time() < end and self.holdings() != expected:
            time.sleep(0.02)
        return self.holdings()


def case_in_machine(name):
    subprocess.run([args.leafhopper, 'run', '--', args.client, name], check=True, timeout=120,
                   env=client_env())


def ordinary_user(machine):
    """What another user runs the client with on a machine of root's: environment, program, preexec_fn."""
    os.chmod(machine.place, 0o755)
    # The build may lie where other users cannot go.
    *runtime, ours = preload()
    for name in (args.client, ours):
        shutil.copy(name, machine.dir)
        os.chmod(os.path.join(machine.dir, os.path.basename(name)), 0o755)
    env = dict(client_env(machine.env), LD_PRELOAD=':'.join([*runtime,
                                                   os.path.join(machine.dir, os.path.basename(ours))]))

    def drop():
        os.setgroups([])
        os.setgid(65534)
        os.setuid(65534)
    return env, os.path.join(machine.dir, os.path.basename(args.client)), drop


def case_user():
    """The same as an ordinary user, on a shared machine of root's."""
    if os.geteuid() != 0:
        sys.exit(SKIPPED)
    with Machine('--socket-mode', '666') as m:
        env, client, drop = ordinary_user(m)
        for test in IN_MACHINE:
            subprocess.run([client, test], env=env, check=True, timeout=60, preexec_fn=drop)


def case_groups():
    """A node that one of a user's further groups may open."""
    if os.geteuid() != 0:
        sys.exit(SKIPPED)
    with Machine('--socket-mode', '666') as m:
        os.chmod(m.place, 0o755)
        assert m.start('groups').wait(timeout=60) == 0


def case_status():
    """Exit status, signals, and what is left of a machine."""
    # Machines are made here, where those of other tests are not.
    place = tempfile.mkdtemp(prefix='lh-test-')
    os.environ['XDG_RUNTIME_DIR'] = place
    run = [args.leafhopper, 'run', '--']
    assert subprocess.run([*run, 'sh', '-c', 'exit 7']).returncode == 7
    assert subprocess.run([*run, 'sh', '-c', 'kill -9 $$']).returncode == 137
    assert subprocess.run([*run, '/nonexistent'], stderr=subprocess.DEVNULL).returncode == 127
    assert subprocess.run([args.leafhopper, 'run', '--gpus', '99', '--', 'true'],
                          stderr=subprocess.DEVNULL).returncode == 2
    assert subprocess.run([args.leafhopper, 'run', '--profile', 'none', '--', 'true'],
                          stderr=subprocess.DEVNULL).returncode == 125
    assert subprocess.run([args.leafhopper, 'nonsense'], stderr=subprocess.DEVNULL).returncode == 2
    child = subprocess.Popen([*run, 'sh', '-c', 'trap "exit 5" TERM; echo ready; while :; do sleep 0.02; done'],
                             stdout=subprocess.PIPE, text=True)
    assert child.stdout.readline() == 'ready\n'
    child.send_signal(signal.SIGTERM)
    assert child.wait(timeout=30) == 5
    assert not os.listdir(place), os.listdir(place)
    # A supervisor that is killed takes the daemon with it.
    child = subprocess.Popen([*run, 'sh', '-c', 'echo $PPID; exec cat'], stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE, text=True)
    pid = int(child.stdout.readline())
    daemons = [p for p in os.listdir('/proc') if p.isdigit() and parent_of(p) == pid]
    os.kill(pid, signal.SIGKILL)
    child.wait()
    child.stdin.close()
    for _ in range(500):
        if not [p for p in daemons if alive(p)]:
            break
        time.sleep(0.02)
    assert not [p for p in daemons if alive(p)], daemons


def parent_of(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            return int(f.read().rsplit(')', 1)[1].split()[1])
    except (OSError, IndexError):
        return -1


def alive(pid):
    try:
        with open(f'/proc/{pid}/stat') as f:
            return f.read().rsplit(')', 1)[1].split()[0] != 'Z'
    except OSError:
        return False


def case_shared():
    """up twice, two programs at once, another's client, inject, down."""
    with Machine() as m:
        assert m.command('up', stderr=subprocess.DEVNULL).returncode == 1
        with m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            handle = holder.stdout.readline().strip()
            assert m.start('foreign', handle).wait() == 0
            assert '1 processes' in m.command('status').stdout
            holder.stdin.close()
            assert holder.wait() == 0
        assert m.command('inject', '0', 'no such thing', stderr=subprocess.DEVNULL).returncode == 1
        assert m.command('inject', '9', 'off-bus', stderr=subprocess.DEVNULL).returncode == 1
        assert m.command('inject', '0', 'ecc-sbe', '1').returncode == 0
        pid = m.pid
        assert m.command('down').returncode == 0
        assert not alive(pid) and not os.path.exists(m.place)
        assert m.command('status', stderr=subprocess.DEVNULL).returncode == 1
        m.command('up', check=True)
        # A machine within a machine is one of its own.
        out = m.command('enter', '--', args.leafhopper, 'run', '--gpus', '2', '--', 'sh', '-c',
                        'ls /dev | grep nvidia; grep -c nvidia-caps /proc/devices').stdout
        assert out.split() == ['nvidia-caps', 'nvidia-uvm', 'nvidia-uvm-tools', 'nvidia0', 'nvidia1',
                               'nvidiactl', '1'], out


def case_foreign_user():
    """Another user's client is refused, also where the process was root when it opened."""
    if os.geteuid() != 0:
        sys.exit(SKIPPED)
    with Machine('--socket-mode', '666') as m:
        os.chmod(m.place, 0o755)
        with m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            handle = holder.stdout.readline().strip()
            assert m.start('foreign', handle, '65534').wait() == 0
            holder.stdin.close()


def case_leftovers():
    """Clients that end in order leave the daemon as it was."""
    with Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        for test in ['basics', 'descriptors', 'threads', 'poll']:
            assert m.start(test).wait(timeout=60) == 0
        assert m.settle(before) == before, (before, m.holdings())


def case_kills():
    """Clients killed at any instant leave nothing."""
    rng = random.Random(535)
    with Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        for _ in range(args.kills):
            child = m.start('churn', start_new_session=True)
            time.sleep(rng.uniform(0.001, 0.03))
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        assert m.settle(before, 30) == before, (before, m.holdings())
        assert m.start('basics').wait() == 0


def case_many():
    """Many clients with threads at once."""
    with Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        holders = [m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE)
                   for _ in range(args.clients)]
        for child in holders:
            assert int(child.stdout.readline()) > 0
        assert f'{args.clients} processes' in m.command('status').stdout
        assert m.start('threads').wait(timeout=120) == 0
        for child in holders:
            child.stdin.close()
        assert all(child.wait(timeout=120) == 0 for child in holders)
        for child in holders:
            child.stdout.close()
        assert m.settle(before, 30) == before, (before, m.holdings())


def protocol(name):
    """A number of host/user/proto.h: what is wrong in a message shall not be its version."""
    header = os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', '..', 'host', 'user', 'proto.h')
    with open(header) as f:
        return int(re.search(r'#define LH_%s (0x[0-9a-f]+|[0-9]+)u' % name, f.read()).group(1), 0)


def case_garbage():
    """Garbage at the daemon's socket loses the connection that sent it, nothing else."""
    rng = random.Random(1)
    magic, version = (protocol(name) for name in ('MAGIC', 'VERSION'))
    with Machine() as m:
        m.start('basics').wait()
        before = m.settle(None, 0.3)
        socks = []
        for i in range(200):
            s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
            s.connect(m.socket)
            socks.append(s)
            kind = i % 4
            try:
                if kind == 0:
                    s.send(rng.randbytes(rng.randrange(1, 300)))
                elif kind == 1:
                    s.send(struct.pack('<IIIIQQQQ', magic, version, rng.randrange(0, 9), 0,
                                       *[rng.getrandbits(64) for _ in range(4)]))
                elif kind == 2:
                    # A channel whose memory could shrink under the daemon.
                    fd = os.memfd_create('x', os.MFD_ALLOW_SEALING)
                    os.ftruncate(fd, 4096 + 131072)
                    socket.send_fds(s, [struct.pack('<IIIIQQQQ', magic, version, 1, 0, 0, 0, 0, 0)],
                                    [fd])
                    os.close(fd)
                else:
                    socket.send_fds(s, [b'x' * 48], [0, 1, 2])
            except (BrokenPipeError, ConnectionResetError):
                pass
        assert m.start('basics').wait() == 0
        for s in socks:
            s.close()
        assert m.settle(before) == before, (before, m.holdings())


def case_orphan():
    """A daemon that is killed: its clients get errors at once, and the place can be used again."""
    with Machine() as m:
        with m.start('orphan', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == 'ready\n'
            os.kill(m.pid, signal.SIGKILL)
            while alive(m.pid):
                time.sleep(0.01)
            child.stdin.close()
            assert child.wait(timeout=10) == 0
        m.command('up', check=True)
        assert m.start('basics').wait() == 0


def case_stopped():
    """A daemon that does not answer keeps no signal from those who connect or bind."""
    with Machine() as m:
        for what in ('connect', 'bind'):
            for then in ('kill', 'resume'):
                with m.start('stopped', what, then, stdin=subprocess.PIPE,
                             stdout=subprocess.PIPE) as child:
                    assert child.stdout.readline() == 'ready\n'
                    os.kill(m.pid, signal.SIGSTOP)
                    try:
                        child.stdin.write('\n')
                        child.stdin.flush()
                        if then == 'kill':
                            assert child.wait(timeout=10) == -signal.SIGALRM, (what, then)
                        else:
                            time.sleep(3)
                            assert child.poll() is None, (what, then)
                    finally:
                        os.kill(m.pid, signal.SIGCONT)
                        if child.poll() is None and then == 'kill':
                            child.kill()
                    assert then == 'kill' or child.wait(timeout=30) == 0, (what, then)


def case_find():
    """find shows the nodes as it shows others."""
    out = subprocess.run([args.leafhopper, 'run', '--', 'find', '/dev', '-path', '/dev/shm', '-prune',
                          '-o', '-name', 'nvidia*', '-printf', '%p %y\\n'], check=True,
                         env=dict(os.environ, XDG_RUNTIME_DIR=''), text=True, timeout=60,
                         stdout=subprocess.PIPE).stdout.splitlines()
    assert {'/dev/nvidia0 c', '/dev/nvidiactl c', '/dev/nvidia-caps d',
            '/dev/nvidia-caps/nvidia-cap1 c'} <= set(out), out
    assert len(out) == len(set(out)), out


def case_idle():
    """An idle daemon takes no CPU time."""
    with Machine() as m:
        with m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
            holder.stdout.readline()
            time.sleep(0.5)
            before = cpu_ticks(m.pid)
            time.sleep(2)
            assert cpu_ticks(m.pid) - before <= 1
            holder.stdin.close()


def cpu_ticks(pid):
    with open(f'/proc/{pid}/stat') as f:
        fields = f.read().rsplit(')', 1)[1].split()
    return int(fields[11]) + int(fields[12])


def check_nesting(events):
    """Each slice of a thread is closed by its own end, the inner one first."""
    open_slices = {}
    for e in events:
        slices = open_slices.setdefault((e['pid'], e['tid']), [])
        if e['ph'] == 'B':
            slices.append(e['name'])
        elif e['ph'] == 'E':
            assert slices and slices.pop() == e['name'], e
    assert not any(open_slices.values()), open_slices


def case_trace():
    """Text names requests, fields and results; JSON is what viewers read."""
    out = subprocess.run([args.leafhopper, 'trace', '--', args.client, 'basics'], check=True,
                         stderr=subprocess.PIPE, text=True, timeout=60, env=client_env()).stderr
    for what in ('NV_ESC_RM_CONTROL', 'hClient', 'NV0000_CTRL_CMD_GPU_GET_PROBED_IDS', '= 0', 'EINVAL'):
        assert what in out, what
    with tempfile.NamedTemporaryFile(suffix='.json') as f:
        subprocess.run([args.leafhopper, 'trace', '-o', f.name, '--', args.client, 'refused'],
                       check=True, timeout=60, env=client_env())
        events = json.load(f)
    begins = [e for e in events if e['ph'] == 'B']
    assert begins
    check_nesting(events)
    # A control and an alloc that fail after their parameters were read end like others.
    ends = {(e['name'], e['args'].get('result')) for e in events if e['ph'] == 'E'}
    assert ('NV0000_CTRL_CMD_GPU_ATTACH_IDS', 'NV_ERR_INVALID_ARGUMENT') in ends, ends
    assert ('NV01_DEVICE_0', 'NV_ERR_OBJECT_NOT_FOUND') in ends, ends
    assert any(e['name'] == 'NV_ESC_RM_ALLOC' for e in begins)


def run_case(module):
    """The case of a module that the command line names, with its leafhopper and a folder for it as the module's."""
    cases = {name[5:]: fn for name, fn in vars(module).items() if name.startswith('case_')}
    global args
    parser = argparse.ArgumentParser()
    parser.add_argument('--leafhopper', required=True)
    parser.add_argument('case', choices=sorted(cases))
    args = parser.parse_args()
    module.leafhopper = args.leafhopper = args.client = os.path.abspath(args.leafhopper)
    os.environ.pop('LEAFHOPPER_SOCKET', None)
    module.folder = tempfile.mkdtemp(prefix='lh-test-')
    try:
        cases[args.case]()
    finally:
        shutil.rmtree(module.folder, ignore_errors=True)


CASES = {name[5:]: fn for name, fn in list(globals().items())
         if name.startswith('case_') and name != 'case_in_machine'}


def main():
    global args
    parser = argparse.ArgumentParser()
    parser.add_argument('--leafhopper', required=True)
    parser.add_argument('--client', required=True)
    parser.add_argument('--kills', type=int, default=100)
    parser.add_argument('--clients', type=int, default=100)
    parser.add_argument('case', choices=IN_MACHINE + sorted(CASES))
    args = parser.parse_args()
    args.leafhopper = os.path.abspath(args.leafhopper)
    args.client = os.path.abspath(args.client)
    os.environ.pop('LEAFHOPPER_SOCKET', None)
    # A thousand clients need more descriptors than a shell allows at first.
    limit = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))
    if args.case in IN_MACHINE:
        case_in_machine(args.case)
    else:
        CASES[args.case]()


if __name__ == '__main__':
    main()
