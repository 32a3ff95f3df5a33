#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Memory of the driver's in clients, and clients' in the driver's hands.

mapping.py --leafhopper PATH --client PATH [--kills N] CASE
"""
import argparse
import os
import random
import resource
import signal
import subprocess
import sys
import time

import host
from stress import held, settle

IN_MACHINE = ['maps', 'crowd', 'doorbell', 'pins']


def case_kills():
    """Clients killed while they map, unmap and pin leave nothing."""
    rng = random.Random(535)
    with host.Machine() as m:
        for test in IN_MACHINE:
            assert m.start(test).wait(timeout=120) == 0, test
        empty = settle(m, None, 0.5)
        assert empty[:5] == (0, 0, 0, 0, 0), empty
        for i in range(host.args.kills):
            with m.start('churn', start_new_session=True, stdout=subprocess.PIPE) as child:
                if i % 3:
                    assert child.stdout.readline() == 'holding\n'
                time.sleep(rng.uniform(0, 0.03))
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        assert settle(m, empty) == empty, (empty, held(m))
        assert m.start('maps').wait(timeout=120) == 0


def case_greed():
    """One user's pieces of video memory leave descriptors for others."""
    if os.geteuid() != 0:
        sys.exit(host.SKIPPED)
    resource.setrlimit(resource.RLIMIT_NOFILE, (512, 512))
    with host.Machine('--socket-mode', '666') as m:
        limit = int(next(line for line in open(f'/proc/{m.pid}/limits')
                         if line.startswith('Max open files')).split()[3])
        env, client, drop = host.ordinary_user(m)
        assert m.start('maps').wait(timeout=120) == 0
        empty = settle(m, None, 0.5)
        child = subprocess.Popen([client, 'pieces'], env=env, text=True, preexec_fn=drop,
                                 stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        pieces = int(child.stdout.readline())
        assert limit // 4 < pieces <= limit // 2, (pieces, limit)
        assert m.start('maps').wait(timeout=120) == 0
        child.stdin.close()
        assert child.wait(timeout=30) == 0
        child.stdout.close()
        assert settle(m, empty) == empty, (empty, held(m))


def case_idle():
    """Mapped doorbells that nobody rings take no CPU time."""
    with host.Machine() as m:
        holders = [m.start('quiet', stdin=subprocess.PIPE, stdout=subprocess.PIPE) for _ in range(4)]
        for child in holders:
            assert child.stdout.readline() == 'holding\n'
        time.sleep(0.5)
        before = host.cpu_ticks(m.pid)
        time.sleep(2)
        assert host.cpu_ticks(m.pid) - before <= 1
        for child in holders:
            child.stdin.close()
            assert child.wait(timeout=30) == 0
            child.stdout.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--leafhopper', required=True)
    parser.add_argument('--client', required=True)
    parser.add_argument('--kills', type=int, default=40)
    parser.add_argument('case', choices=[*IN_MACHINE, 'kills', 'greed', 'idle'])
    host.args = parser.parse_args()
    host.args.leafhopper = os.path.abspath(host.args.leafhopper)
    host.args.client = os.path.abspath(host.args.client)
    os.environ.pop('LEAFHOPPER_SOCKET', None)
    if host.args.case == 'kills':
        case_kills()
    elif host.args.case == 'greed':
        case_greed()
    elif host.args.case == 'idle':
        case_idle()
    else:
        host.case_in_machine(host.args.case)


if __name__ == '__main__':
    main()
