# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Writes the tables of abi/tables.h as C."""

from .check import find_path, number_of
from .headers import LICENCE, c_number
from .model import DIRS, KINDS


def hash32(key, bits):
    """As abi_hash in the code written below."""
    return ((key * 0x9e3779b1) & 0xffffffff) >> (32 - bits)


def hash_table(keys):
    """(bits, slots): slots hold index + 1, open addressing."""
    bits = 1
    while 1 << bits < 2 * len(keys) + 2:
        bits += 1
    slots = [0] * (1 << bits)
    for index, key in enumerate(keys):
        at = hash32(key, bits)
        while slots[at]:
            at = (at + 1) % len(slots)
        slots[at] = index + 1
    return bits, slots


def c_list(values, per_line=16):
    rows = [', '.join(map(str, values[i:i + per_line])) for i in range(0, len(values), per_line)]
    return '{\n\t' + ',\n\t'.join(rows) + ',\n}' if rows else '{ 0 }'


class Tables:
    def __init__(self, abi):
        self.abi = abi
        self.names = sorted(abi.structs)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.out = []
        self.nested_ids = 0

    def struct_ref(self, name):
        struct = self.abi.struct(name)
        return f'&abi_structs[{self.index[struct.name]}]' if struct else 'NULL'

    # -- Structures ------------------------------------------------------------------------------

    def fields(self, struct, root, path, ident):
        """Writes the field array of struct, which lies at path in root; returns its length."""
        rows, visible = [], []
        self.collect(struct, visible)
        names = [f.name for f in visible]
        for f in visible:
            at = f'{path}.{f.name}' if path else f.name
            sub = 'NULL'
            if f.sub:
                sub = self.anonymous(f, root, at)
            elif self.abi.struct(f.type):
                sub = self.struct_ref(f.type)
            element = f'(({root} *)0)->{at}' + '[0]' * len(f.dims)
            count = 1
            for d in f.dims:
                count *= 0 if d is None else d
            base = f'offsetof({root}, {path})' if path else '0'
            kind = KINDS.get(f.kind)
            if not kind:
                union = (f.sub or self.abi.struct(f.type)).union
                kind = 'ABI_UNION' if union else 'ABI_STRUCT'
            counted = f'{names.index(f.counted)}' if f.counted else '~0u'
            select = '~0u'
            if f.select:
                select = str(names.index(f.select))
            when, when_count = 'NULL', 0
            if f.when:
                values = [number_of(self.abi, f, v) for v in f.when]
                when_count = len(values)
                when = f'(const u32[]){{ {", ".join(map(c_number, values))} }}'
            rows.append(
                f'\t{{ "{f.name}", "{f.type or ("union" if f.sub.union else "struct")}", '
                f'offsetof({root}, {at}) - {base}, sizeof({element}), {count}, {counted}, '
                f'{select}, {when_count}, {when}, {kind}, {DIRS[f.dir]}, {int(f.secret)}, '
                f'{int(f.hex)}, {sub} }},')
        self.out.append(f'static const struct abi_field {ident}_fields[] = {{')
        self.out += rows + ['};', '']
        return len(rows)

    def collect(self, struct, visible):
        """Fields, with those of unnamed members in their place; bit-fields have no address."""
        for f in struct.fields:
            if f.sub and not f.name:
                self.collect(f.sub, visible)
            elif not f.bits:
                visible.append(f)

    def anonymous(self, field, root, path):
        ident = 'anon_' + root + '_' + path.replace('.', '_').replace('[0]', '')
        path += '[0]' * len(field.dims)
        count = self.fields(field.sub, root, path, ident)
        self.out += [f'static const struct abi_struct {ident} = {{',
                     f'\t"{field.sub.name}", sizeof((({root} *)0)->{path}), {count}, '
                     f'{ident}_fields, 0, NULL', '};', '']
        return '&' + ident

    def pointers(self, struct, prefix, root, found):
        for f in struct.fields:
            at = f'{prefix}{f.name}'
            if f.pointer:
                found.append((at, f))
            if f.dims or f.bits:
                continue
            sub = f.sub or self.abi.struct(f.type)
            if sub and not sub.union:
                self.pointers(sub, at + '.' if f.name else prefix, root, found)

    def nested(self, struct):
        found = []
        self.pointers(struct, '', struct, found)
        if not found:
            return 0
        self.out.append(f'static const struct abi_nested s_{struct.name}_nested[] = {{')
        for at, f in found:
            p = f.pointer
            prefix = at[:len(at) - len(f.name)]
            if p.times.isdigit():
                count = f'0, 0, {p.times}, {p.max or p.times}'
            else:
                path = prefix + p.times
                assert find_path(self.abi, struct, path)
                count = (f'offsetof({struct.name}, {path}), '
                         f'sizeof((({struct.name} *)0)->{path}), 0, {p.max}')
            size = '1' if p.element == 'bytes' else f'sizeof({p.element})'
            self.out.append(f'\t{{ offsetof({struct.name}, {at}), {count}, {size}, '
                            f'{DIRS[f.dir]}, {int(p.optional)}, {self.struct_ref(p.element)} }},')
        self.out += ['};', '']
        return len(found)

    def structs(self):
        self.out += [f'static const struct abi_struct abi_structs[ABI_STRUCT_COUNT + 1];', '']
        rows = []
        for name in self.names:
            struct = self.abi.structs[name]
            ident = 's_' + name
            count = self.fields(struct, name, '', ident)
            nested = self.nested(struct)
            rows.append(f'\t{{ "{name}", sizeof({name}), {count}, {ident}_fields, {nested}, '
                        f'{ident + "_nested" if nested else "NULL"} }},')
        self.out.append('static const struct abi_struct abi_structs[ABI_STRUCT_COUNT + 1] = {')
        self.out += rows + ['};', '']

    # -- Numbered tables -------------------------------------------------------------------------

    def flags(self, words, prefix):
        value = 0
        for word in words:
            value |= self.abi.int_value(prefix + word)
        return c_number(value)

    def rights(self, words):
        value = 0
        for word in words:
            value |= 1 << self.abi.int_value('RS_ACCESS_' + word)
        return c_number(value)

    def params(self, p):
        """(size, struct) in C."""
        if p.mode == 'none':
            return '0', 'NULL'
        if p.mode == 'size':
            return str(p.size), 'NULL'
        return f'sizeof({p.type})', self.struct_ref(p.type)

    def lookup(self, what, keys, exported=True):
        """A hash from key to entry of abi_WHATs."""
        bits, slots = hash_table(keys)
        kind = f'struct abi_{what}'
        field = {'control': 'cmd', 'class': 'class_id', 'escape': 'nr',
                 'rpc': 'function', 'rpc_event': 'function', 'status': 'value'}[what]
        static = '' if exported else 'static '
        array = {'class': 'abi_classes'}.get(what, f'abi_{what}s')
        self.out += [
            f'static const u16 abi_{what}_slots[{len(slots)}] = {c_list(slots)};', '',
            f'{static}const {kind} *abi_{what}_find(u32 key)', '{',
            f'\tu32 at = (key * 0x9e3779b1u) >> {32 - bits};', '',
            f'\tfor (; abi_{what}_slots[at]; at = (at + 1) & {len(slots) - 1}u)',
            f'\t\tif ({array}[abi_{what}_slots[at] - 1].{field} == key)',
            f'\t\t\treturn &{array}[abi_{what}_slots[at] - 1];',
            '\treturn NULL;', '}', '']

    def by_index(self, what, array):
        self.out += [f'const struct abi_{what} *abi_{what}_by_index(u32 index)', '{',
                     f'\treturn index < ABI_{what.upper()}_COUNT ? &{array}[index] : NULL;', '}',
                     '']

    def controls(self):
        items = sorted(self.abi.controls.values(), key=lambda c: c.cmd)
        for c in items:
            if c.also:
                row = ', '.join(f'ABI_ICLASS_{name}' for name in c.also)
                self.out.append(f'static const u16 also_{c.cmd:08x}[] = {{ {row} }};')
        self.out.append('static const struct abi_control abi_controls[ABI_CONTROL_COUNT + 1] = {')
        for i, c in enumerate(items):
            size, struct = self.params(c.params)
            self.out.append(
                f'\t{{ {c.cmd:#x}, {i}, {self.flags(c.flags, "RMCTRL_FLAGS_")}, '
                f'{self.rights(c.rights)}, {size}, ABI_ICLASS_{c.iclass}, {int(c.by_class)}, '
                f'{int(not c.closed)}, "{c.name}", {struct}, {len(c.also)}, '
                f'{f"also_{c.cmd:08x}" if c.also else "NULL"}, {c.becomes or 0}, '
                f'{int(c.serialised)} }},')
        self.out += ['};', '']
        self.lookup('control', [c.cmd for c in items])
        self.by_index('control', 'abi_controls')

    def classes(self):
        items = sorted(self.abi.classes.values(), key=lambda c: c.number)
        for c in items:
            if c.parents:
                row = ', '.join(f'ABI_ICLASS_{p}' for p in c.parents)
                self.out.append(f'static const u16 parents_{c.name}[] = {{ {row} }};')
        self.out.append('static const struct abi_class abi_classes[ABI_CLASS_COUNT + 1] = {')
        for i, c in enumerate(items):
            size, struct = self.params(c.params)
            parents = f'parents_{c.name}' if c.parents else 'NULL'
            self.out.append(
                f'\t{{ {c.number:#x}, {i}, "{c.name}", ABI_ICLASS_{c.iclass}, {int(c.multi)}, '
                f'ABI_PARAMS_{c.need.upper()}, {size}, {struct}, '
                f'{self.flags(c.flags, "RS_FLAGS_")}, {self.rights(c.rights)}, '
                f'{len(c.parents)}, {parents} }},')
        self.out += ['};', '']
        self.lookup('class', [c.number for c in items])
        self.by_index('class', 'abi_classes')

    def numbered(self, what, table):
        items = sorted(table.values(), key=lambda e: e.number)
        count = {'rpc_event': 'RPC_EVENT'}.get(what, what.upper())
        kind = 'rpc' if what == 'rpc_event' else what
        if what == 'rpc_event':
            self.out.append('#define abi_rpc_event abi_rpc')
        self.out.append(f'static const struct abi_{kind} abi_{what}s[ABI_{count}_COUNT + 1] = {{')
        self.out += [f'\t{{ {i.number:#x}, "{i.name}", {self.struct_ref(i.params)} }},'
                     for i in items]
        self.out += ['};', '']
        self.lookup(what, [i.number for i in items])

    def names_of(self):
        items = list(self.abi.statuses.values())
        self.out += ['struct abi_status {', '\tu32 value;', '\tconst char *name;', '};',
                     'static const struct abi_status abi_statuss[ABI_STATUS_COUNT + 1] = {']
        self.out += [f'\t{{ {s.value:#x}, "{s.name}" }},' for s in items] + ['};', '']
        self.lookup('status', [s.value for s in items], exported=False)
        self.out += ['const char *abi_status_name(u32 status)', '{',
                     '\tconst struct abi_status *s = abi_status_find(status);', '',
                     '\treturn s ? s->name : "NV_STATUS_UNKNOWN";', '}', '',
                     'static const char *const abi_iclass_names[ABI_ICLASS_COUNT] = {']
        self.out += [f'\t"{name}",' for name in ['NONE', 'ANY'] + list(self.abi.iclasses)]
        self.out += ['};', '', 'const char *abi_iclass_name(u16 iclass)', '{',
                     '\treturn iclass < ABI_ICLASS_COUNT ? abi_iclass_names[iclass] : "UNKNOWN";',
                     '}', '']

    def struct_lookup(self):
        self.by_index('struct', 'abi_structs')
        self.out += [
            'static int name_compare(const char *a, const char *b)', '{',
            '\twhile (*a && *a == *b)', '\t\ta++, b++;',
            '\treturn (unsigned char)*a - (unsigned char)*b;', '}', '',
            'const struct abi_struct *abi_struct_find(const char *name)', '{',
            '\tu32 low = 0, high = ABI_STRUCT_COUNT;', '',
            '\twhile (low < high) {', '\t\tu32 middle = low + (high - low) / 2;',
            '\t\tint order = name_compare(name, abi_structs[middle].name);', '',
            '\t\tif (!order)', '\t\t\treturn &abi_structs[middle];',
            '\t\tif (order < 0)', '\t\t\thigh = middle;', '\t\telse',
            '\t\t\tlow = middle + 1;', '\t}', '\treturn NULL;', '}', '']

    def text(self):
        self.out = [LICENCE + '/* The tables of abi/tables.h. Generated from abi/; do not edit. */',
                    '#include "abi/gh100.h"', '#include "abi/r535.h"', '#include "abi/spdm.h"',
                    '#include "abi/tables.h"',
                    '']
        self.structs()
        self.struct_lookup()
        self.controls()
        self.classes()
        self.numbered('escape', self.abi.escapes)
        self.numbered('rpc', self.abi.rpcs)
        self.numbered('rpc_event', self.abi.events)
        self.names_of()
        return '\n'.join(self.out)
