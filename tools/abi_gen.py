#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Generates the C headers and tables of the interface from .abi files. See abi/README.md.

Usage: abi_gen.py --out DIR [--depfile FILE] FILE.abi...
"""

import argparse
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from abigen.check import check  # noqa: E402
from abigen.headers import counts_header, iclass_header, status_header, unit_header  # noqa: E402
from abigen.model import AbiError  # noqa: E402
from abigen.parse import Parser  # noqa: E402
from abigen.tables import Tables  # noqa: E402

OUTPUTS = ('status.h', 'iclass.h', 'counts.h', 'r535.h', 'gh100.h', 'spdm.h', 'tables.c')


def load(paths):
    """Parses and checks; returns the Abi and its structures in order of definition."""
    parser = Parser()
    for path in sorted(paths, key=os.path.basename):
        parser.parse(path)
    return parser.abi, check(parser.abi)


def generate(abi, order):
    return {
        'status.h': status_header(abi),
        'iclass.h': iclass_header(abi),
        'counts.h': counts_header(abi),
        'r535.h': unit_header(abi, 'r535', order),
        'gh100.h': unit_header(abi, 'gh100', order),
        'spdm.h': unit_header(abi, 'spdm', order),
        'tables.c': Tables(abi).text(),
    }


def write(path, text):
    """Leaves a file with the same text alone, so that nothing is compiled again."""
    try:
        with open(path, encoding='ascii') as file:
            if file.read() == text:
                return
    except FileNotFoundError:
        pass
    with open(path, 'w', encoding='ascii') as file:
        file.write(text)


def main():
    args = argparse.ArgumentParser(description='Generates headers and tables of the interface.')
    args.add_argument('--out', required=True, help='folder for the generated files')
    args.add_argument('--depfile', help='make rules that name the inputs')
    args.add_argument('files', nargs='+')
    args = args.parse_args()
    try:
        abi, order = load(args.files)
    except AbiError as fault:
        print(fault, file=sys.stderr)
        return 1
    for name, text in generate(abi, order).items():
        write(os.path.join(args.out, name), text)
    if args.depfile:
        modules = [m.__file__ for m in sys.modules.values()
                   if getattr(m, '__file__', None) and 'abigen' in m.__file__]
        with open(args.depfile, 'w', encoding='ascii') as file:
            outputs = ' '.join(os.path.join(args.out, name) for name in OUTPUTS)
            file.write(f'{outputs}: {" ".join(args.files + modules)}\n')
    return 0


if __name__ == '__main__':
    sys.exit(main())
