# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Writes the C headers: status.h, iclass.h, counts.h and one for each unit."""

from .model import SCALARS, UNITS

LICENCE = '/* SPDX-License-Identifier: MIT OR GPL-2.0-only */\n'


def guarded(name, text, body):
    guard = f'ABI_{name.upper()}_H'
    return (f'{LICENCE}/* {text} Generated from abi/; do not edit. */\n'
            f'#ifndef {guard}\n#define {guard}\n\n{body}\n#endif\n')


def c_number(value, base=16):
    if value < 0:
        return f'(-{c_number(-value, base)})'
    text = hex(value) if base == 16 else str(value)
    if value > 0xffffffff:
        return text + 'ull'
    return text + 'u' if base == 16 or value > 0x7fffffff else text


def const_lines(c):
    """The macros of a constant."""
    define = f'#define {c.name}'
    if c.kind == 'int':
        return [f'{define} {c_number(c.value, c.base)}']
    if c.kind == 'string':
        return [f'{define} "{c.value}"']
    if c.kind in ('bits', 'range'):
        base = 10 if c.kind == 'bits' else 16
        high, low = c.value
        return [f'{define}__HI {c_number(high, base)}', f'{define}__LO {c_number(low, base)}']
    if c.kind == 'cap':
        byte, mask = c.value
        return [f'{define}__BYTE {byte}', f'{define}__MASK {mask:#04x}u']
    arg = f'({c.arg})'
    if c.kind == 'array':
        base, stride = c.value
        return [f'{define}{arg} ({c_number(base)} + {arg} * {c_number(stride)})']
    high, low, stride = c.value
    return [f'{define}__HI{arg} ({high} + {arg} * {stride})',
            f'{define}__LO{arg} ({low} + {arg} * {stride})']


def status_header(abi):
    rows = ''.join(f'\t{s.name} = {s.value:#010x},\n' for s in abi.statuses.values())
    return guarded('status', 'The status codes of the interface.',
                   f'enum nv_status {{\n{rows}}};\n')


def iclass_header(abi):
    rows = ''.join(f'\tABI_ICLASS_{name},\n' for name in abi.iclasses)
    body = f'enum abi_iclass {{\n\tABI_ICLASS_NONE = 0,\n\tABI_ICLASS_ANY,\n{rows}}};\n'
    return guarded('iclass', "The interface's names of the classes of objects.", body)


def counts_header(abi):
    counts = {'CONTROL': len(abi.controls), 'CLASS': len(abi.classes),
              'STRUCT': len(abi.structs), 'ESCAPE': len(abi.escapes), 'RPC': len(abi.rpcs),
              'RPC_EVENT': len(abi.events), 'ICLASS': len(abi.iclasses) + 2,
              'STATUS': len(abi.statuses)}
    body = ''.join(f'#define ABI_{k}_COUNT {v}u\n' for k, v in counts.items())
    return guarded('counts', 'How many entries the tables have.', body)


def declare_fields(struct, depth):
    lines = []
    for f in struct.fields:
        indent = '\t' * depth
        tail = ''.join('[]' if d is None else f'[{d}]' for d in f.dims)
        if f.bits:
            tail += f' : {f.bits}'
        if f.sub:
            lines.append(f'{indent}{"union" if f.sub.union else "struct"} {{')
            lines += declare_fields(f.sub, depth + 1)
            lines.append(f'{indent}}}{attributes(f.sub)} {f.name}{tail};'.replace('} ;', '};'))
        else:
            lines.append(f'{indent}{f.type} {f.name}{tail};')
    return lines


def attributes(struct):
    words = (['packed'] if struct.packed else []) + \
            ([f'aligned({struct.align})'] if struct.align else [])
    return f' __attribute__(({", ".join(words)}))' if words else ''


def declare(struct):
    word = 'union' if struct.union else 'struct'
    lines = [f'typedef {word} {struct.name} {{'] + declare_fields(struct, 1)
    names = ', '.join([struct.name] + struct.alias)
    lines.append(f'}}{attributes(struct)} {names};')
    if struct.size >= 0:
        lines.append(f'_Static_assert(sizeof({struct.name}) == {struct.size}, "{struct.name}");')
    return '\n'.join(lines) + '\n'


def numbers(abi):
    """Macros of the statements that number something."""
    out = []
    for title, table, prefix, key in (
            ('Classes', abi.classes, '', 'number'), ('Controls', abi.controls, '', 'cmd'),
            ('Escapes', abi.escapes, '', 'number'),
            ('RPC functions', abi.rpcs, 'NV_VGPU_MSG_FUNCTION_', 'number'),
            ('RPC events', abi.events, 'NV_VGPU_MSG_EVENT_', 'number')):
        if table:
            out.append(f'\n/* {title} */')
        out += [f'#define {prefix}{i.name} {c_number(getattr(i, key))}' for i in table.values()
                if i.name]
    return out


def unit_header(abi, unit, order):
    out = ['#include "base/types.h"']
    if unit == 'spdm':
        out = ['#include "abi/r535.h"'] + out
    if unit == 'r535':
        out = ['#include "abi/iclass.h"', '#include "abi/status.h"'] + out + ['']
        out += [f'typedef {ctype} {name};' for name, (ctype, _, _) in SCALARS.items()
                if name not in ('char', 'int')]
        out += [f'typedef {t.base} {t.name};' for t in abi.typedefs.values()]
        out += numbers(abi)
    header = None
    for c in abi.consts.values():
        if c.unit != unit:
            continue
        if c.header != header:
            header = c.header
            out.append(f'\n/* {header} */' if header else '')
        out += const_lines(c)
    out.append('')
    out += [declare(s) for s in order if s.unit == unit]
    return guarded(unit, UNITS[unit], '\n'.join(out))
