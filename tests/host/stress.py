#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Clients that are killed with their hands full, and clients whose memory changes under the driver.

stress.py --leafhopper PATH --client PATH [--kills N] CASE
"""
import argparse
import os
import random
import re
import signal
import subprocess
import time

import host


def held(m):
    """What the driver says that clients hold, and what the daemon itself has for them."""
    text = m.command('status', check=True).stdout
    counts = re.search(r'(\d+) open files\n(\d+) GPUs opened, (\d+) clients, (\d+) objects, '
                       r'(\d+) MiB of video memory', text)
    return tuple(int(n) for n in counts.groups()) + m.holdings()


def settle(m, expected, seconds=30):
    end = time.time() + seconds
    while (got := held(m)) != expected and time.time() < end:
        time.sleep(0.05)
    return got


def kill_some(m, rng, kills):
    """Kills clients at any instant; returns the most objects that were seen held."""
    most = 0
    for i in range(kills):
        with m.start('churn', start_new_session=True, stdout=subprocess.PIPE) as child:
            # Some while they start, and the others while they take and give things back.
            if i % 3:
                assert child.stdout.readline() == 'holding\n'
            time.sleep(rng.uniform(0, 0.03))
            if i % 10 == 1:
                most = max(most, held(m)[3])
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
    return most


def case_kills():
    """Clients killed while they hold files, objects, events and memory leave nothing."""
    rng = random.Random(535)
    with host.Machine() as m:
        # The first client of all makes what the daemon keeps.
        with m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == 'holding\n'
            full = held(m)
            assert full[:5] == (2, 1, 1, 6, 8), full
            child.stdin.close()
            assert child.wait() == 0
        empty = settle(m, None, 0.5)
        assert empty[:5] == (0, 0, 0, 0, 0), empty
        # The GPU stops with its last user.
        most = kill_some(m, rng, host.args.kills // 2)
        assert settle(m, empty) == empty, (empty, held(m))
        # It goes on for another one.
        with m.start('hold', stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
            assert child.stdout.readline() == 'holding\n'
            full = settle(m, full, 2)
            most = max(most, kill_some(m, rng, host.args.kills // 2) - full[3])
            assert settle(m, full) == full, (full, held(m))
            child.stdin.close()
            assert child.wait() == 0
        assert settle(m, empty) == empty, (empty, held(m))
        assert most > 0


def case_races():
    """Memory that another thread unmaps, protects and rewrites: a status, or one whole copy."""
    with host.Machine() as m:
        assert m.start('races').wait(timeout=60) == 0
        empty = settle(m, None, 0.5)
        assert empty[:5] == (0, 0, 0, 0, 0), empty
        assert m.start('races').wait(timeout=60) == 0
        assert settle(m, empty) == empty, (empty, held(m))
        assert host.alive(m.pid)


CASES = {name[5:]: fn for name, fn in list(globals().items()) if name.startswith('case_')}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument('--leafhopper', required=True)
    parser.add_argument('--client', required=True)
    parser.add_argument('--kills', type=int, default=60)
    parser.add_argument('case', choices=sorted(CASES))
    host.args = parser.parse_args()
    host.args.leafhopper = os.path.abspath(host.args.leafhopper)
    host.args.client = os.path.abspath(host.args.client)
    os.environ.pop('LEAFHOPPER_SOCKET', None)
    CASES[host.args.case]()


if __name__ == '__main__':
    main()
