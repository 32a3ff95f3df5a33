#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""leafhopper run --adversary: the worked examples of docs/adversary.md, others, and scripts that are wrong.

adversary.py --leafhopper PATH CASE
"""
import os
import re
import struct
import subprocess
import sys

import host

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
EXAMPLES = os.path.join(TOP, 'docs/adversary')
NO_DAEMON = 125

leafhopper = None
folder = None


def run(script, *command, machine=('--cc', 'on')):
    done = subprocess.run([leafhopper, 'run', *machine, '--adversary', script, '--', *(command or (leafhopper, 'smi'))],
                          env=host.client_env(), cwd=folder, text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    done.said = done.stdout + done.stderr
    return done


def script(text):
    path = os.path.join(folder, 'script')
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)
    return path


def deeds(done):
    return re.findall(r'^\[[ 0-9.]+\] adversary: (GPU\d+: .*)$', done.stderr, re.M)


def summary(done):
    return int(re.search(r'adversary: (\d+) manipulations', done.stderr).group(1))


def case_reply():
    """Worked example: one bit of a sealed reply."""
    done = run(os.path.join(EXAMPLES, 'reply.txt'))
    assert done.returncode not in (0, NO_DAEMON), done.said
    assert deeds(done) == ['GPU0: sealed status 20: flip tag byte 0 bit 3'], done.said
    assert 'GSP message is not authentic: it does not open' in done.stderr, done.said
    assert 'Xid (PCI:0000:01:00): 120' in done.stderr, done.said
    assert summary(done) == 1 and 'adversary: sealed status, flip: 1' in done.stderr, done.said


def case_certificate():
    """Worked example: certificates changed on their way, and a record of what passed."""
    done = run(os.path.join(EXAMPLES, 'certificate.txt'))
    assert done.returncode not in (0, NO_DAEMON), done.said
    assert 'GPU0: spdm response 2: flip message' in '\n'.join(deeds(done)), done.said
    assert 'SPDM session failed' in done.stderr and '(certificate chain)' in done.stderr, done.said
    assert os.stat(os.path.join(folder, 'traffic.bin')).st_mode & 0o777 == 0o600
    codes = []
    with open(os.path.join(folder, 'traffic.bin'), 'rb') as file:
        while head := file.read(24):
            magic, gpu, _, _, code, size = struct.unpack('=IHHQII', head)
            assert magic == 0x5241484c and gpu == 0 and len(file.read(size)) == size
            codes.append(code)
    assert 0x84 in codes and codes.count(0x02) >= 2, codes
    # What is sealed or not of SPDM has no code.
    assert 0xffffffff in codes


def case_late():
    """What only takes longer is served all the same."""
    done = run(script('on sealed status delay 300\non sealed command every 3 delay 300\n'))
    assert done.returncode == 0, done.said
    assert summary(done) > 20 and not re.search('Xid', done.said), done.said


def case_second():
    """The other GPU of the machine goes on."""
    done = run(script('on gpu 1 sealed command nth 5 flip text\n'), machine=('--cc', 'on', '-n', '2'))
    assert 'GPU1: sealed command 5: flip text' in done.stderr, done.said
    assert 'Xid (PCI:0000:02:00): 120' in done.stderr and 'Xid (PCI:0000:01:00)' not in done.stderr, done.said


def case_clear():
    """Without confidential mode nothing protects messages but their sums."""
    done = run(script('on clear status nth 12 flip data byte 3 bit 1 raw\n'), machine=())
    assert summary(done) == 1 and 'bad checksum' in done.stderr, done.said


def case_replace():
    """A message of a file's."""
    with open(os.path.join(folder, 'message.bin'), 'wb') as file:
        file.write(b'\x11\x7f\x01\x00')
    done = run(script('on spdm response ALGORITHMS replace message.bin\n'))
    assert done.returncode not in (0, NO_DAEMON), done.said
    assert 'the GPU answers with error 0x01' in done.stderr, done.said


def case_usage():
    """Scripts that are wrong start no machine, and say where."""
    for text, why in (('on sealed status\n', 'line 1: what is to be done is missing'),
                      ('\n\non sealed stat flip\n', 'line 3: nothing of that name passes: sealed stat'),
                      ('sed 1\n', 'line 1: no such statement: sed'),
                      ('seed 0x1g\n', 'line 1: a number is missing, or out of range: 0x1g'),
                      ('seed 99999999999999999999\n', 'line 1: a number is missing, or out of range'),
                      ('on page read of 4097 flip\n', 'line 1: a number is missing, or out of range: 4097'),
                      ('on sealed status of 3 flip\n', 'line 1: of is for pages'),
                      ('on page read probability 1.5 flip\n', 'line 1: a probability'),
                      ('on page read probability 0 flip\n', 'line 1: a probability'),
                      ('on spdm response replace missing.bin\n', 'line 1: the file cannot be read: missing.bin'),
                      ('on sealed status flip tag bit 3 twice\n', 'line 1: what follows means nothing: twice'),
                      ('on gpu 32 sealed status flip\n', 'line 1: a number is missing, or out of range: 32'),
                      ('record /nowhere/at/all\n', 'line 1: the record cannot be written: /nowhere/at/all'),
                      ('on ' + 'x' * 300 + '\n', 'line 1: a word that is too long'),
                      ('on sealed status flip ' + 'x ' * 30 + '\n', 'line 1: too many words'),
                      ('on sealed status flip\n' * 257, 'line 257: too many rules')):
        done = run(script(text))
        assert done.returncode == NO_DAEMON and why in done.stderr, (text[:60], done.returncode, done.said)
    done = run(os.path.join(folder, 'no-script'))
    assert done.returncode == NO_DAEMON and 'No such file' in done.stderr, done.said


if __name__ == '__main__':
    host.run_case(sys.modules[__name__])
