# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Checks that what the files state fits together, and resolves names."""

from .model import AbiError, SCALARS


def resolve_flags(abi, item, words, prefix):
    for word in words:
        if abi.int_value(prefix + word) is None:
            raise AbiError(item.where, f'{prefix}{word} is stated nowhere')


def check_type(abi, item, name):
    if not abi.struct(name) and not abi.scalar(name):
        raise AbiError(item.where, f'type {name} is stated nowhere')


def resolve_dims(abi, field):
    for i, dim in enumerate(field.dims):
        if isinstance(dim, str):
            value = abi.int_value(dim)
            if value is None:
                raise AbiError(field.where, f'constant {dim} is stated nowhere')
            field.dims[i] = value
        if field.dims[i] is not None and not 0 < field.dims[i] < 1 << 24:
            raise AbiError(field.where, f'{field.name} has {field.dims[i]} elements')
        if dim is None and i:
            raise AbiError(field.where, 'only the first bound may be left out')


def default_kind(abi, struct, field):
    """The kind that follows from the type, and whether it shows in hexadecimal."""
    if field.sub:
        return 'struct'
    if abi.struct(field.type):
        return 'struct'
    _, size, signed = abi.scalar(field.type)
    if field.kind:
        return field.kind
    if field.pointer or field.type == 'NvP64':
        return 'pointer'
    if field.type == 'NvHandle':
        return 'handle'
    if field.type == 'NvBool':
        return 'bool'
    if field.type == 'NV_STATUS':
        return 'status'
    if field.type == 'char' and field.dims:
        return 'string'
    if size == 1 and not signed and field.dims:
        return 'bytes'
    return 'int' if signed else 'uint'


def find_path(abi, struct, path):
    """The field that a dotted path names, or None."""
    found = None
    for part in path.split('.'):
        if struct is None:
            return None
        found = next((f for f in struct.fields if f.name == part), None)
        if found is None:
            return None
        struct = found.sub or abi.struct(found.type)
    return found


def check_pointer(abi, struct, field):
    p = field.pointer
    if field.type != 'NvP64':
        raise AbiError(field.where, 'only a NvP64 points')
    if p.element != 'bytes':
        check_type(abi, field, p.element)
    if not p.times:
        raise AbiError(field.where, f'{field.name}: "times" must tell how many elements there are')
    if not p.times.isdigit():
        counter = find_path(abi, struct, p.times)
        if counter is None:
            raise AbiError(field.where, f'{struct.name} has no field {p.times}')
        scalar = abi.scalar(counter.type)
        if counter.dims or not scalar or scalar[1] not in (4, 8):
            raise AbiError(field.where, f'{p.times} must be one 4 or 8 byte number')
        if not p.max:
            raise AbiError(field.where, f'{field.name}: "max" must bound the elements')


def check_select(abi, struct, field):
    target = field.sub or abi.struct(field.type)
    if not target or not target.union:
        raise AbiError(field.where, 'only a union within a structure has a selector')
    selector = next((f for f in struct.fields if f.name == field.select), None)
    if not selector or selector.dims or not abi.scalar(selector.type):
        raise AbiError(field.where, f'{struct.name} has no number {field.select}')


def check_struct(abi, struct):
    if not struct.fields:
        raise AbiError(struct.where, f'{struct.name} has no fields')
    names = [f.name for f in struct.fields]
    for i, f in enumerate(struct.fields):
        resolve_dims(abi, f)
        if f.dims and f.dims[0] is None and (i != len(names) - 1 or struct.union):
            raise AbiError(f.where, 'only the last field may have no bound')
        if f.sub:
            check_struct(abi, f.sub)
        else:
            check_type(abi, f, f.type)
        kind = default_kind(abi, struct, f)
        if f.kind and kind == 'struct':
            raise AbiError(f.where, f'{f.name} is a structure and cannot be {f.kind}')
        f.kind = kind
        if kind == 'string' and (not f.dims or abi.scalar(f.type)[1] != 1):
            raise AbiError(f.where, f'{f.name}: a string is an array of bytes')
        if f.bits and (f.dims or kind == 'struct' or f.bits > 8 * abi.scalar(f.type)[1]):
            raise AbiError(f.where, f'{f.name}: no such bit-field')
        if f.counted:
            if f.counted not in names or not f.dims:
                raise AbiError(f.where, f'{f.name} cannot be counted by {f.counted}')
        if f.pointer:
            check_pointer(abi, struct, f)
        if f.select:
            check_select(abi, struct, f)
        for value in f.when:
            if not struct.union:
                raise AbiError(f.where, '"when" belongs to members of a union')
            number_of(abi, f, value)
        f.dir = f.dir or struct.dir


def number_of(abi, item, word):
    try:
        return int(word, 0)
    except ValueError:
        value = abi.int_value(word)
        if value is None:
            raise AbiError(item.where, f'constant {word} is stated nowhere') from None
        return value


def order_structs(abi):
    """Structures such that each comes after those it holds."""
    done, order = set(), []

    def visit(struct, trail):
        if struct.name in done:
            return
        if struct.name in trail:
            raise AbiError(struct.where, f'{struct.name} holds itself')
        stack = list(struct.fields)
        while stack:
            f = stack.pop()
            if f.sub:
                stack.extend(f.sub.fields)
            elif abi.struct(f.type):
                visit(abi.struct(f.type), trail | {struct.name})
        done.add(struct.name)
        order.append(struct)

    for struct in abi.structs.values():
        visit(struct, frozenset())
    return order


def check_unique(abi):
    """All names that become C identifiers, once."""
    seen = {}

    def add(name, where):
        if name in seen:
            raise AbiError(where, f'{name} is stated at {seen[name]} already')
        seen[name] = where

    for table in (abi.consts, abi.structs, abi.typedefs, abi.statuses):
        for item in table.values():
            add(item.name, item.where)
    for s in abi.structs.values():
        for alias in s.alias:
            add(alias, s.where)
    for table in (abi.controls, abi.classes, abi.escapes):
        for item in table.values():
            if item.name:
                add(item.name, item.where)
    for name in SCALARS:
        if name in seen:
            raise AbiError(seen[name], f'{name} is a basic type')


def check_params(abi, item, params):
    if params.mode == 'type':
        check_type(abi, item, params.type)


def check_serialised(abi, item, struct, top=True):
    """What the serialised form has no rule for, or the serialiser no code."""
    for f in struct.fields:
        sub = f.sub or abi.struct(f.type)
        if f.bits or None in f.dims or f.select or (f.sub and not f.name) or (sub and sub.union):
            raise AbiError(item.where, f'{struct.name}.{f.name} has no serialised form')
        if f.type == 'NvP64' and not (f.pointer and top and not f.dims):
            raise AbiError(item.where, f'{struct.name}.{f.name}: what it points at is not stated')
        element = abi.struct(f.pointer.element) if f.pointer else sub
        if element:
            check_serialised(abi, item, element, False)


def check(abi):
    """Raises AbiError at the first fault; returns the structures in order of definition."""
    check_unique(abi)
    for item in abi.typedefs.values():
        if not abi.scalar(item.name):
            raise AbiError(item.where, f'{item.base} is no basic type')
    for struct in abi.structs.values():
        check_struct(abi, struct)
    order = order_structs(abi)
    names = {c.name for c in abi.controls.values()}
    for c in abi.controls.values():
        if c.becomes and c.becomes not in names:
            raise AbiError(c.where, f'control {c.becomes} is stated nowhere')
        for name in [c.iclass] + c.also:
            if name not in abi.iclasses:
                raise AbiError(c.where, f'internal class {name} is stated nowhere')
        if not 0 <= c.cmd < 1 << 32:
            raise AbiError(c.where, 'a command has 32 bits')
        check_params(abi, c, c.params)
        if c.serialised:
            if not abi.struct(c.params.type):
                raise AbiError(c.where, 'what is serialised has a structure')
            check_serialised(abi, c, abi.struct(c.params.type))
        resolve_flags(abi, c, c.flags, 'RMCTRL_FLAGS_')
        resolve_flags(abi, c, c.rights, 'RS_ACCESS_')
    for c in abi.classes.values():
        for name in [c.iclass] + c.parents:
            if name not in abi.iclasses and name != 'ANY':
                raise AbiError(c.where, f'internal class {name} is stated nowhere')
        check_params(abi, c, c.params)
        resolve_flags(abi, c, c.flags, 'RS_FLAGS_')
        resolve_flags(abi, c, c.rights, 'RS_ACCESS_')
    for table in (abi.escapes, abi.rpcs, abi.events):
        for item in table.values():
            if item.params and not abi.struct(item.params):
                raise AbiError(item.where, f'structure {item.params} is stated nowhere')
    return order
