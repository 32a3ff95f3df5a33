# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""What a set of .abi files states, as objects."""

from dataclasses import dataclass, field


class AbiError(Exception):
    """A fault in the data; its text begins with file:line."""

    def __init__(self, where, text):
        super().__init__(f'{where}: {text}')


# What has a header of its own, by the name of its file, and that header's first words; all else is in r535.h.
UNITS = {
    'r535': 'Structures and numbers of the interface.',
    'gh100': 'Registers and formats of the GPU.',
    'spdm': "SPDM's messages and its transport.",
}

SCALARS = {
    # name: (C type, size, signed)
    'NvU8': ('u8', 1, False),
    'NvU16': ('u16', 2, False),
    'NvU32': ('u32', 4, False),
    'NvU64': ('u64', 8, False),
    'NvS8': ('s8', 1, True),
    'NvS16': ('s16', 2, True),
    'NvS32': ('s32', 4, True),
    'NvS64': ('s64', 8, True),
    'NvV8': ('u8', 1, False),
    'NvV16': ('u16', 2, False),
    'NvV32': ('u32', 4, False),
    'NvBool': ('u8', 1, False),
    'NvHandle': ('u32', 4, False),
    'NvP64': ('u64', 8, False),
    'NvLength': ('u64', 8, False),
    'NV_STATUS': ('u32', 4, False),
    'char': ('char', 1, False),
    'int': ('s32', 4, True),
}

KINDS = {
    'uint': 'ABI_UINT', 'int': 'ABI_INT', 'bool': 'ABI_BOOL', 'handle': 'ABI_HANDLE',
    'class': 'ABI_CLASS', 'command': 'ABI_COMMAND', 'status': 'ABI_STATUS', 'fd': 'ABI_FD',
    'pointer': 'ABI_POINTER', 'bytes': 'ABI_BYTES', 'string': 'ABI_STRING',
}

DIRS = {'in': 1, 'out': 2, 'inout': 3}


@dataclass
class Const:
    where: str
    header: str
    kind: str  # int, bits, range, cap, string, array, bits-array
    name: str
    value: object  # int; (hi, lo); (byte, mask); str; (base, stride); (hi, lo, stride)
    arg: str = ''
    base: int = 16
    unit: str = 'r535'
    external: str = ''


@dataclass
class Pointer:
    element: str  # type name, or 'bytes'
    times: str = ''  # decimal, or a field's dotted path
    max: int = 0
    optional: bool = False


@dataclass
class Field:
    where: str
    type: str  # '' for an anonymous aggregate, whose body is sub
    name: str  # '' for a member without a name
    dims: list = field(default_factory=list)  # ints; None: flexible
    bits: int = 0
    kind: str = ''
    dir: str = ''
    secret: bool = False
    hex: bool = False
    counted: str = ''
    pointer: Pointer = None
    when: list = field(default_factory=list)  # of a union's member: selector values
    select: str = ''  # of a union: the selector's name
    sub: object = None  # Struct, of an anonymous aggregate


@dataclass
class Struct:
    where: str
    name: str
    union: bool = False
    fields: list = field(default_factory=list)
    size: int = -1
    external: str = ''
    dir: str = 'inout'
    packed: bool = False
    align: int = 0
    alias: list = field(default_factory=list)
    unit: str = 'r535'


@dataclass
class Typedef:
    where: str
    name: str
    base: str
    unit: str = 'r535'


@dataclass
class Status:
    where: str
    name: str
    value: int


@dataclass
class Params:
    mode: str = 'none'  # none, type, size
    type: str = ''
    size: int = 0


@dataclass
class Control:
    where: str
    cmd: int
    name: str
    iclass: str
    params: Params
    flags: list
    rights: list
    also: list = field(default_factory=list)
    by_class: bool = False
    closed: bool = False
    becomes: str = ''
    serialised: bool = False


@dataclass
class Class:
    where: str
    number: int
    name: str
    iclass: str
    multi: bool
    need: str  # none, optional, required
    params: Params
    parents: list
    flags: list
    rights: list


@dataclass
class Numbered:
    """An escape, an RPC function or an RPC event."""
    where: str
    number: int
    name: str
    params: str


@dataclass
class Abi:
    consts: dict = field(default_factory=dict)
    structs: dict = field(default_factory=dict)
    aliases: dict = field(default_factory=dict)  # second name -> name
    typedefs: dict = field(default_factory=dict)
    statuses: dict = field(default_factory=dict)
    iclasses: dict = field(default_factory=dict)
    controls: dict = field(default_factory=dict)
    classes: dict = field(default_factory=dict)
    escapes: dict = field(default_factory=dict)
    rpcs: dict = field(default_factory=dict)
    events: dict = field(default_factory=dict)

    def struct(self, name):
        """The structure of that name or alias, or None."""
        return self.structs.get(name) or self.structs.get(self.aliases.get(name))

    def int_value(self, name):
        c = self.consts.get(name)
        return c.value if c and c.kind == 'int' else None

    def scalar(self, type_name):
        """(C type, size, signed) of a scalar or of a typedef of one, else None."""
        seen = set()
        while type_name in self.typedefs and type_name not in seen:
            seen.add(type_name)
            type_name = self.typedefs[type_name].base
        return SCALARS.get(type_name)
