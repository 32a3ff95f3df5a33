#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""That compare.py fails when the interface and the reference disagree in one place of any kind.

Usage: test_compare.py PROGRAM REFERENCE_DIR TOOLS_DIR FILE.abi...
"""

import os
import shutil
import subprocess
import sys
import tempfile

# Table, a text in it, and what it is changed into.
CHANGES = [
    ('structs.tsv', 'NVOS54_PARAMETERS\tcmd\t8\t4\t', 'NVOS54_PARAMETERS\tcmd\t12\t4\t'),
    ('structs.tsv', 'NVOS54_PARAMETERS\tflags\t12\t4\tNvU32',
     'NVOS54_PARAMETERS\tflags\t12\t4\tNvS32'),
    ('structs.tsv', 'NVOS54_PARAMETERS\t\t0\t32\t', 'NVOS54_PARAMETERS\t\t0\t40\t'),
    ('structs.tsv', 'NVOS54_PARAMETERS\tflags\t', 'NVOS54_PARAMETERS\tflagz\t'),
    ('controls.tsv', '\t516\t', '\t520\t'),
    ('controls.tsv', '0x20800102\t', '0x208001ff\t'),
    ('controls.tsv', '\t0x200850\t', '\t0x200851\t'),
    ('classes.tsv', 'NV20_SUBDEVICE_0\tSubdevice\tmulti\t', 'NV20_SUBDEVICE_0\tSubdevice\tsingle\t'),
    ('classes.tsv', '\tDevice KernelChannelGroupApi\t', '\tDevice\t'),
    ('status.tsv', 'NV_ERR_INVALID_ARGUMENT\t', 'NV_ERR_INVALID_ARGUMENTS\t'),
    ('constants.tsv', 'NVOS02_FLAGS_ALLOC\t17:16', 'NVOS02_FLAGS_ALLOC\t18:16'),
    ('constants.tsv', 'NV2080_NOTIFIERS_MAXCOUNT\t0x', 'NV2080_NOTIFIERS_MAXCOUNT\t0x1'),
    ('uvm-ioctls.tsv', 'UVM_MIGRATE\t51', 'UVM_MIGRATE\t52'),
    ('uvm-ioctls.tsv', 'UVM_FREE_PARAMS\t24', 'UVM_FREE_PARAMS\t32'),
    ('methods.tsv', 'NVC8B5_LAUNCH_DMA\t0x300', 'NVC8B5_LAUNCH_DMA\t0x304'),
    ('registers-gh100.tsv', 'NV_MMU_VER3_PTE_ADDRESS\t51:12', 'NV_MMU_VER3_PTE_ADDRESS\t53:12'),
    ('gsp-rpc.tsv', 'GSP_RM_CONTROL\t', 'GSP_RM_CONTROL\t1'),
]


def fails(program, reference, rest):
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), 'compare.py')
    done = subprocess.run([sys.executable, script, program, reference] + rest,
                          capture_output=True, encoding='utf-8', check=False)
    return done.returncode != 0 and 'DIFFERENT:' in done.stdout


def main():
    program, reference, *rest = sys.argv[1:]
    missed = 0
    for table, old, new in CHANGES:
        with tempfile.TemporaryDirectory() as folder:
            copy = os.path.join(folder, 'reference')
            shutil.copytree(reference, copy)
            path = os.path.join(copy, table)
            with open(path, encoding='utf-8') as file:
                text = file.read()
            if old not in text:
                print(f'{table} has no "{old}"')
                missed += 1
                continue
            os.chmod(path, 0o644)
            with open(path, 'w', encoding='utf-8') as file:
                file.write(text.replace(old, new, 1))
            if not fails(program, copy, rest):
                print(f'{table}: "{old}" changed into "{new}" is not noticed')
                missed += 1
    print(f'{len(CHANGES)} changes, {missed} not noticed')
    return 1 if missed else 0


if __name__ == '__main__':
    sys.exit(main())
