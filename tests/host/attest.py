#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""leafhopper attest: what it says of GPUs in confidential mode, of others, and of files.

attest.py --leafhopper PATH CASE
"""
import json
import os
import re
import shutil
import subprocess
import sys

import host

CHECKS = ['certificates', 'root', 'chain', 'validity', 'report', 'signature', 'nonce', 'FWID',
          'measurement 1', 'measurement 2', 'measurement 3', 'measurement 4', 'driver version', 'VBIOS version']
PASSED, MISMATCH, USAGE, NOT_CONFIDENTIAL, NOT_ATTESTED = 0, 1, 2, 3, 4
TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TEST_ROOT = os.path.join(TOP, 'host/user/attest/test_root.pem')

leafhopper = None
folder = None


def command(*argv, env=None):
    done = subprocess.run([leafhopper, *argv], env=host.client_env(env), text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)
    done.said = done.stdout + done.stderr
    return done


def attest(*argv, machine=('--cc', 'on')):
    return command('run', *machine, '--', leafhopper, 'attest', *argv)


def judged(done, status, failed=()):
    """The object that JSON is, once it says what is expected."""
    assert done.returncode == status, done.said
    told = json.loads(done.stdout)
    assert told['form'] == 1
    assert told['passed'] == (status == PASSED), done.said
    assert [c['name'] for c in told['checks'] if c['outcome'] == 'failed'] == list(failed), done.said
    return told


def path(name, text=None):
    made = os.path.join(folder, name)
    if text is not None:
        with open(made, 'w', encoding='ascii') as file:
            file.write(text)
    return made


def digest(data):
    import hashlib
    return hashlib.sha384(data).hexdigest()


def reference():
    """The build's own, as text."""
    built = os.path.join(os.path.dirname(leafhopper), '../../src/h100/h100_measurements.tsv')
    with open(built, encoding='ascii') as file:
        return file.read()


def case_text():
    """Every check, in a machine of its own and in a shared one, by number of the GPU."""
    done = attest()
    assert done.returncode == PASSED, done.said
    lines = done.stdout.splitlines()
    assert re.fullmatch(r'GPU 0, nonce [0-9a-f]{64}', lines[0]), done.said
    assert [line[15:31].strip() for line in lines[1:15]] == CHECKS, done.said
    assert all(line.startswith('  passed ') for line in lines[1:15]), done.said
    assert lines[15] == 'attestation passed' and 'test root' in lines[16], done.said
    # The nonce is another one each time.
    assert attest().stdout.splitlines()[0] != lines[0]
    with host.Machine('--cc', 'on', '--gpus', '2') as machine:
        for number in '0', '1':
            # Not in a machine it joins the shared one.
            done = command('attest', '--gpu', number, env=machine.env)
            assert done.returncode == PASSED, done.said
            assert f'Leafhopper GH100 {number} attestation key' in done.stdout, done.said
        assert command('attest', '--gpu', '2', env=machine.env).returncode == NOT_ATTESTED


def case_json():
    nonce = '00112233445566778899aabbccddeeff' * 2
    told = judged(attest('--json', '--nonce', nonce), PASSED)
    assert [c['name'] for c in told['checks']] == CHECKS
    assert all(c['outcome'] == 'passed' and c['detail'] for c in told['checks'])
    assert told['nonce'] == nonce and told['gpu'] == 0
    assert told['reference_sha384'] == digest(reference().encode())
    assert len(told['certificates']) == 5
    assert told['certificates'][4]['subject'] == 'CN = Leafhopper Test Root, O = Leafhopper'
    assert told['report']['driver_version'] == '535.309.01'
    assert told['report']['vbios_version'] == '96.00.74.00.01'
    other = judged(attest('--json', machine=('--cc', 'on', '--profile', 'h200')), PASSED)
    assert other['report']['vbios_version'] == '96.00.99.00.01'
    assert other['nonce'] != nonce


def case_scenario():
    """Another scenario is another measurement, until the reference has it, too."""
    text = 'temperature gpu0 55\n'
    machine = ('--cc', 'on', '--scenario', path('scenario', text))
    judged(attest('--json', machine=machine), MISMATCH, ['measurement 4'])
    done = attest(machine=machine)
    assert done.returncode == MISMATCH, done.said
    assert 'attestation FAILED: 1 of 14 checks did not pass' in done.stdout, done.said
    ours = reference() + f'4\tscenario\tmine\t{digest(text.encode())}\n'
    named = path('reference', ours)
    judged(attest('--json', '--reference', named, machine=machine), PASSED)
    # One digit of any digest there.
    for row in ours.splitlines():
        kind, _, which, value = row.split('\t')
        if which not in ('-', 'h100-sxm-80gb', 'mine'):
            continue
        changed = value[:-1] + ('0' if value[-1] != '0' else '1')
        named = path('changed', ours.replace(row, row.replace(value, changed)))
        name = {'fwid': 'FWID', 'driver': 'driver version', 'vbios': 'VBIOS version'}.get(kind, f'measurement {kind}')
        # A profile that is not known has no VBIOS version to expect.
        more = ['VBIOS version'] if kind == '3' else []
        judged(attest('--json', '--reference', named, machine=machine), MISMATCH, [name] + more)
    # A profile of somebody's own.
    with open(os.path.join(TOP, 'src/h100/profiles/h100-sxm-80gb.profile'), encoding='utf-8') as file:
        profile = file.read()
    made = path('mine.profile', '')
    with open(made, 'w', encoding='utf-8') as file:
        file.write(profile + '# mine\n')
    judged(attest('--json', machine=('--cc', 'on', '--profile', made)), MISMATCH, ['measurement 3', 'VBIOS version'])


def case_off():
    done = attest(machine=())
    assert done.returncode == NOT_CONFIDENTIAL and not done.stdout, done.said
    assert 'GPU 0 is in no confidential mode' in done.stderr, done.said
    assert attest('--json', machine=('--cc', 'off')).returncode == NOT_CONFIDENTIAL
    # No machine at all.
    env = dict(os.environ, LEAFHOPPER_SOCKET=os.path.join(folder, 'none/socket'))
    done = command('attest', env=env)
    assert done.returncode == NOT_ATTESTED and 'there is no machine' in done.stderr, done.said


def flip(name, at):
    with open(name, 'r+b') as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))


def case_saved():
    """What is saved can be judged later, by its nonce, and nothing else can."""
    name = path('gpu')
    told = judged(attest('--json', '--save', name), PASSED)
    report, chain = name + '.report', name + '.pem'

    def again(*argv, nonce=told['nonce']):
        return command('attest', '--json', '--report', report, '--chain', chain, '--nonce', nonce, *argv)

    later = judged(again(), PASSED)
    assert later['gpu'] is None
    assert {k: v for k, v in later.items() if k not in ('gpu', 'time')} == \
        {k: v for k, v in told.items() if k not in ('gpu', 'time')}
    judged(again(nonce='0' + told['nonce'][1:] if told['nonce'][0] != '0' else '1' + told['nonce'][1:]),
           MISMATCH, ['nonce'])
    flip(report, 60)  # in a measurement
    judged(again(), MISMATCH, ['signature'])
    flip(report, 60)  # in a measurement
    with open(report, 'ab') as file:
        file.write(b'\0')
    judged(again(), MISMATCH, ['report'])
    os.truncate(report, os.path.getsize(report) - 1)
    judged(again(), PASSED)
    # Those of another GPU, which has another key.
    judged(attest('--json', '--save', path('other')), PASSED)
    shutil.copy(path('other.pem'), chain)
    judged(again(), MISMATCH, ['signature'])


def case_usage():
    for argv in (['x'], ['--gpu', 'x'], ['--gpu', '32'], ['--nonce', '00'], ['--nonce', 'g' * 64], ['--report', 'a'],
                 ['--chain', 'a'], ['--report', 'a', '--chain', 'b'], ['--none'],
                 ['--report', 'a', '--chain', 'b', '--nonce', '0' * 64, '--gpu', '0'],
                 ['--report', 'a', '--chain', 'b', '--nonce', '0' * 64, '--save', 'c']):
        done = command('attest', *argv)
        assert done.returncode == USAGE and not done.stdout, (argv, done.said)
    files = ['--report', path('empty', ''), '--chain', path('empty'), '--nonce', '0' * 64]
    for argv, status in ((['--root', path('none')], NOT_ATTESTED), (['--reference', path('none')], NOT_ATTESTED),
                         (['--root', path('empty')], USAGE), (['--reference', path('empty')], USAGE),
                         (['--reference', path('wrong', '1\ta\t-\t00\n')], USAGE)):
        done = command('attest', *files, *argv)
        assert done.returncode == status and not done.stdout, (argv, done.said)
        assert os.path.basename(argv[1]) in done.stderr, done.said
    assert command('attest', '--report', path('none'), '--chain', path('none'), '--nonce',
                   '0' * 64).returncode == NOT_ATTESTED
    judged(command('attest', '--json', *files), MISMATCH, ['certificates', 'report'])
    assert 'leafhopper attest [options]' in command('help').stdout


def case_root():
    """A user's own root: GPUs that it certifies, and nobody else's."""
    if not shutil.which('openssl'):
        sys.exit(host.SKIPPED)
    key, root, issuer = path('key.pem'), path('root.pem'), path('issuer.pem')
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384',
                    '-nodes', '-days', '30', '-subj', '/CN=mine', '-addext', 'keyUsage=critical,keyCertSign',
                    '-keyout', key, '-out', root], check=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    with open(issuer, 'w', encoding='ascii') as made:
        for name in root, key:
            with open(name, encoding='ascii') as file:
                made.write(file.read())
    machine = ('--cc', 'on', '--issuer', issuer, '--root', root)
    told = judged(attest('--json', '--root', root, machine=machine), PASSED)
    assert told['certificates'][-1]['subject'] == 'CN = mine'
    done = attest('--root', root, machine=machine)
    assert done.returncode == PASSED and 'test root' not in done.stdout, done.said
    judged(attest('--json', machine=machine), MISMATCH, ['root'])
    judged(attest('--json', '--root', root), MISMATCH, ['root'])
    judged(attest('--json', '--root', TEST_ROOT), PASSED)


if __name__ == '__main__':
    host.run_case(sys.modules[__name__])
