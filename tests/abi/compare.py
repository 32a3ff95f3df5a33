#!/usr/bin/env python3
# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Holds what the compiler made of abi/ (the output of the layout program) against the reference
tables. Says how much it compared; any disagreement fails.

Usage: compare.py PROGRAM REFERENCE_DIR TOOLS_DIR FILE.abi...
"""

import os
import re
import subprocess
import sys

sys.path.insert(0, sys.argv[3])

from abi_gen import load  # noqa: E402

# How the reference spells a type, where it is not as abi/ does.
SAME_TYPE = {'uint8_t': 'NvU8', 'uint16_t': 'NvU16', 'uint32_t': 'NvU32', 'uint64_t': 'NvU64',
             'int32_t': 'NvS32', 'Callback1ArgVoidReturn': 'NvP64',
             'Callback5ArgVoidReturn': 'NvP64', 'OSVBLANKCALLBACKPROC': 'NvP64'}

MINIMUM = {'structures': 1400, 'fields': 8000, 'controls': 1100, 'classes': 145,
           'statuses': 133, 'constants': 8800, 'uvm ioctls': 67}


class Comparison:
    def __init__(self, folder, abi):
        self.folder = folder
        self.abi = abi
        self.faults = []
        self.counts = {}
        self.external = []

    def count(self, what, n=1):
        self.counts[what] = self.counts.get(what, 0) + n

    def fault(self, text):
        self.faults.append(text)

    def same(self, what, ours, theirs):
        if ours != theirs:
            self.fault(f'{what}: {ours} here, {theirs} in the reference')

    def rows(self, name):
        with open(os.path.join(self.folder, name), encoding='utf-8') as file:
            lines = [line.rstrip('\n').split('\t') for line in file]
        return lines[1:]

    # -- Structures ------------------------------------------------------------------------------

    def reference_structs(self):
        """name -> (size, [(path, offset, size, type)]), bit-fields left out."""
        out = {}
        for name, path, offset, size, kind in self.rows('structs.tsv'):
            entry = out.setdefault(name, [None, []])
            if kind == 'sizeof':
                entry[0] = int(size)
            elif path and '@' not in kind:
                if size == '0':  # a flexible array; abi/ may leave it out
                    path = path.replace('[1]', '[]')
                entry[1].append((path, int(offset), int(size), kind))
        return out

    def expand(self, structs, name, prefix='', base=0):
        """Fields with those of named members, as the layout program prints them."""
        for path, offset, size, kind in structs[name][1]:
            kind = re.sub(r'\b(volatile|const) ', '', kind)
            yield prefix + path, base + offset, size, kind
            if path.endswith('[]'):
                continue
            match = re.match(r'(?:struct|union) (\w+)$', kind)
            inner = match.group(1) if match else kind
            if inner in structs and not kind.endswith('*'):
                yield from self.expand(structs, inner, prefix + path + '.', base + offset)

    def type_agrees(self, ours, theirs):
        theirs = re.sub(r'^(struct|union) (?=\w)', '', theirs)
        if theirs.endswith('*'):
            theirs = 'NvP64'
        theirs = SAME_TYPE.get(theirs, theirs)
        if theirs in ('struct', 'union'):  # unnamed there; its fields are compared one by one
            return ours in ('struct', 'union') or self.abi.struct(ours) is not None
        return self.abi.aliases.get(ours, ours) == self.abi.aliases.get(theirs, theirs)

    def compare_structs(self, fields):
        reference = self.reference_structs()
        ours = {}
        for name, path, offset, size, kind in fields:
            entry = ours.setdefault(name, [None, {}])
            if kind == 'sizeof':
                entry[0] = int(size)
            else:
                entry[1][path] = (int(offset), int(size), kind)
        for name, (size, _) in ours.items():
            stated = self.abi.struct(name)
            if stated.external:
                if name in reference:
                    self.fault(f'{name} is in the reference and cannot be external')
                self.external.append(f'{name} ({stated.external})')
                continue
            if name not in reference:
                self.fault(f'{name} is not in the reference and not marked external')
                continue
            self.count('structures')
            self.same(f'sizeof {name}', size, reference[name][0])
            members = ours[stated.name][1]
            self.compare_members(name, members, list(self.expand(reference, name)))

    def compare_members(self, name, ours, reference):
        seen = set()
        for path, offset, size, kind in reference:
            seen.add(path)
            if path not in ours:
                if path.endswith('[]'):
                    continue
                self.fault(f'{name}.{path} is missing here')
                continue
            self.count('fields')
            o, s, k = ours[path]
            if '[]' not in path:
                self.same(f'{name}.{path} size', s, size)
            self.same(f'{name}.{path} offset', o, offset)
            if not self.type_agrees(k, kind):
                self.fault(f'{name}.{path} type: {k} here, {kind} in the reference')
        for path in ours.keys() - seen:
            self.fault(f'{name}.{path} is not in the reference')

    # -- Constants -------------------------------------------------------------------------------

    def reference_constants(self):
        out, headers = {}, set()
        for table in ('constants.tsv', 'gsp-constants.tsv', 'registers-gh100.tsv', 'methods.tsv'):
            for header, name, value, kind in self.rows(table):
                out[name.split('(')[0]] = (kind, value)
                headers.add(header)
        return out, headers

    @staticmethod
    def plain(kind, value):
        """A reference value as the layout program prints it."""
        mask = (1 << 64) - 1
        if kind == 'int':
            return f'{int(value, 0) & mask:x}'
        if kind in ('bits', 'range'):
            high, low = value.split(':')
            return f'{int(high, 0)}:{int(low, 0)}'
        if kind == 'string':
            return value[1:-1]
        base, stride = re.match(r'(\S+) \+ \w+\*(\S+)', value).groups()
        if kind == 'array':
            base, stride = int(base, 0), int(stride, 0)
            wide = mask if base >= 0 else (1 << 64) - 1
            return f'{base & wide:x}:{(base + stride) & wide:x}'
        return f'{base}:{int(stride, 0)}'

    def compare_constants(self, constants):
        reference, headers = self.reference_constants()
        for kind, name, value in constants:
            stated = self.abi.consts[name]
            if name not in reference:
                if stated.header in headers and not stated.external:
                    self.fault(f'{name} ({stated.where}) is not in the reference and its header '
                               'is not marked external')
                self.count('constants of other sources')
                continue
            self.count('constants')
            their_kind, their_value = reference[name]
            theirs = self.plain(their_kind, their_value)
            if kind == 'array':  # 32-bit arithmetic of negative bases
                value = ':'.join(f'{int(v, 16) & 0xffffffff:x}' for v in value.split(':'))
                theirs = ':'.join(f'{int(v, 16) & 0xffffffff:x}' for v in theirs.split(':'))
            self.same(name, value, theirs)

    # -- Tables ----------------------------------------------------------------------------------

    def compare_controls(self, controls):
        reference = {}
        for cmd, name, iclass, params, size, flags, rights in self.rows('controls.tsv'):
            entry = reference.setdefault(int(cmd, 16), [name, set(), params, size, flags, rights])
            entry[1].add(iclass)
        stated = self.reference_structs()
        numbers = {int(row[0], 16): row[2] for row in self.rows('classes.tsv')}
        older = {name: self.plain(*fact) for name, fact in self.reference_constants()[0].items()
                 if '_CTRL_CMD_' in name}
        seen = set()
        for cmd, name, iclass, params, size, flags, rights, is_open, by_class, becomes in controls:
            cmd = int(cmd, 16)
            seen.add(cmd)
            if cmd not in reference:
                if becomes != '0':
                    self.count('older controls')
                    self.same(f'older control {cmd:#010x}', f'{cmd:x}', older.get(name))
                    continue
                if is_open == '1':
                    self.fault(f'control {cmd:#010x} is not in the reference and not closed')
                self.count('closed controls')
                continue
            self.count('controls')
            what = f'control {cmd:#010x}'
            their = reference[cmd]
            self.same(f'{what} name', name, their[0])
            self.same(f'{what} class', set(iclass.split()), their[1])
            self.same(f'{what} size', int(size), int(their[3]))
            self.same(f'{what} flags', int(flags, 16), int(their[4], 16))
            self.same(f'{what} rights', int(rights, 16), int(their[5], 16))
            self.same(f'{what} by_class', by_class == '1',
                      numbers.get(cmd >> 16) not in their[1])
            if their[2] in stated:
                self.same(f'{what} params', params, self.abi.aliases.get(their[2], their[2]))
        for cmd in reference.keys() - seen:
            self.fault(f'control {cmd:#010x} is missing here')

    def compare_classes(self, classes):
        reference = {int(row[0], 16): row[1:] for row in self.rows('classes.tsv')}
        seen = set()
        for number, name, iclass, many, need, params, size, flags, rights, parents in classes:
            number = int(number, 16)
            seen.add(number)
            if number not in reference:
                self.fault(f'class {number:#x} is not in the reference')
                continue
            self.count('classes')
            their = reference[number]
            what = f'class {number:#x}'
            match = re.match(r'(\w+)(?:\((\w+)\))?', their[4])
            self.same(f'{what} name', name, their[0])
            self.same(f'{what} class', iclass, their[1])
            self.same(f'{what} instances', many, their[2])
            their_parents = their[3].replace('RS_ROOT_OBJECT', '').replace('RS_ANY_PARENT', 'ANY')
            self.same(f'{what} parents', parents, their_parents)
            self.same(f'{what} need', need, match.group(1))
            if match.group(2) and match.group(2) not in ('NvHandle', 'NvU32'):
                self.same(f'{what} params', params,
                          self.abi.aliases.get(match.group(2), match.group(2)))
            value = 0
            for flag in their[5].split(' | '):
                value |= self.abi.int_value('RS_FLAGS_' + flag)
            self.same(f'{what} flags', int(flags, 16), value)
            self.same(f'{what} rights', int(rights, 16), 0 if their[6] == 'NONE' else None)
        for number in reference.keys() - seen:
            self.fault(f'class {number:#x} is missing here')

    def compare_statuses(self, statuses):
        reference = {int(value, 16): name for name, value in self.rows('status.tsv')}
        for name, value in statuses:
            value = int(value, 16)
            self.same(f'status {value:#x}', name, reference.get(value, 'NV_STATUS_UNKNOWN'))
            self.count('statuses', value in reference)

    def compare_rpcs(self, rpcs):
        reference = {(kind, name): int(number, 0) for kind, name, number in
                     self.rows('gsp-rpc.tsv')}
        for kind, name, number in rpcs:
            self.count('rpc functions and events')
            self.same(f'rpc {kind} {name}', int(number), reference.get((kind, name)))

    def compare_uvm(self):
        for name, number, params, size in self.rows('uvm-ioctls.tsv'):
            self.count('uvm ioctls')
            self.same(f'{name}', self.abi.int_value(name), int(number))
            stated = self.abi.struct(params)
            self.same(f'{name} size', stated.size if stated else None, int(size))


def main():
    abi, _ = load(sys.argv[4:])
    text = subprocess.run([sys.argv[1]], check=True, capture_output=True, encoding='utf-8').stdout
    facts = {}
    for line in text.splitlines():
        kind, *rest = line.split('\t')
        facts.setdefault(kind, []).append(rest)
    c = Comparison(sys.argv[2], abi)
    c.compare_structs(facts['field'])
    c.compare_constants([[kind] + row for kind in ('int', 'bits', 'cap', 'string', 'array', 'bits-array')
                         for row in facts.get(kind, [])])
    c.compare_controls(facts['control'])
    c.compare_classes(facts['class'])
    c.compare_statuses(facts['status'])
    c.compare_rpcs([[kind] + row for kind in ('function', 'event')
                    for row in facts.get(kind, [])])
    c.compare_uvm()
    for name in c.external:
        print(f'external: {name}')
    print('compared:', ', '.join(f'{n} {what}' for what, n in sorted(c.counts.items())))
    for what, least in MINIMUM.items():
        if c.counts.get(what, 0) < least:
            c.fault(f'only {c.counts.get(what, 0)} {what} compared, {least} expected')
    for fault in c.faults[:200]:
        print('DIFFERENT:', fault)
    if len(c.faults) > 200:
        print(f'... and {len(c.faults) - 200} more')
    return 1 if c.faults else 0


if __name__ == '__main__':
    sys.exit(main())
