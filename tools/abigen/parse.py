# SPDX-License-Identifier: MIT OR GPL-2.0-only
"""Reads .abi files, one statement a line, into an Abi."""

import os
import re

from .model import (Abi, AbiError, Class, Const, Control, DIRS, Field, KINDS, Numbered, Params,
                    Pointer, SCALARS, Status, Struct, Typedef, UNITS)

NAME = re.compile(r'[A-Za-z_][A-Za-z0-9_]*\Z')
TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|[^\s"]+')
DECL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)((?:\[[A-Za-z0-9_]*\])*)(?::(\d+))?\Z')
PAIR = re.compile(r'(0x[0-9a-fA-F]+|\d+):(0x[0-9a-fA-F]+|\d+)\Z')
CALL = re.compile(r'([A-Za-z_][A-Za-z0-9_]*)\(([a-z]+)\)\Z')


class Words:
    """The words of one statement, taken from the left."""

    def __init__(self, where, words):
        self.where = where
        self.words = words
        self.at = 0

    def fail(self, text):
        raise AbiError(self.where, text)

    def more(self):
        return self.at < len(self.words)

    def peek(self):
        return self.words[self.at] if self.more() else None

    def take(self, what):
        if not self.more():
            self.fail(f'{what} missing')
        self.at += 1
        return self.words[self.at - 1]

    def name(self, what):
        word = self.take(what)
        if not NAME.match(word):
            self.fail(f'"{word}" is no {what}')
        return word

    def number(self, what):
        word = self.take(what)
        try:
            return int(word, 0)
        except ValueError:
            self.fail(f'"{word}" is no {what}')

    def text(self, what):
        word = self.take(what)
        if len(word) < 2 or word[0] != '"':
            self.fail(f'{what} must be quoted')
        return word[1:-1]

    def pair(self, what):
        match = PAIR.match(self.take(what))
        if not match:
            self.fail(f'{what} must be high:low')
        high, low = int(match.group(1), 0), int(match.group(2), 0)
        if high < low:
            self.fail(f'{what}: high is below low')
        return high, low

    def flags(self):
        word = self.take('flags')
        return [] if word in ('-', 'NONE') else word.split('|')

    def end(self):
        if self.more():
            self.fail(f'"{self.peek()}" is not expected here')


def split_lines(path):
    """Yields (where, words) of each statement; '#' starts a comment, '\\' at the end continues."""
    with open(path, encoding='ascii') as file:
        lines = file.read().splitlines()
    base = os.path.basename(path)
    start, held = 0, ''
    for number, line in enumerate(lines, 1):
        if not held:
            start = number
        words = []
        for match in TOKEN.finditer(held + line):
            if match.group(0).startswith('#'):
                break
            words.append(match.group(0))
        if words and words[-1] == '\\':
            held = (held + line).rstrip()[:-1] + ' '
            continue
        held = ''
        for word in words:
            if '#' in word and word[0] != '"':
                raise AbiError(f'{base}:{start}', 'a comment needs a space before its #')
        if words:
            yield f'{base}:{start}', words
    if held:
        raise AbiError(f'{base}:{start}', 'the last line continues nowhere')


class Parser:
    def __init__(self):
        self.abi = Abi()
        self.header = self.external = ''
        self.unit = 'r535'
        self.open = []  # enclosing aggregates, outermost first

    def parse(self, path):
        name = os.path.splitext(os.path.basename(path))[0]
        self.unit = name if name in UNITS else 'r535'
        self.header = self.external = ''
        try:
            for where, words in split_lines(path):
                w = Words(where, words)
                if self.open:
                    self.member(w)
                else:
                    self.statement(w)
        except UnicodeDecodeError:
            raise AbiError(f'{os.path.basename(path)}:1', 'not ASCII') from None
        if self.open:
            raise AbiError(self.open[-1].where, f'"{self.open[0].name}" is never closed')

    def put(self, table, key, item, what):
        if key in table:
            shown = hex(key) if isinstance(key, int) else key
            raise AbiError(item.where, f'{what} {shown} is stated at {table[key].where} already')
        table[key] = item

    # -- Statements ------------------------------------------------------------------------------

    def statement(self, w):
        what = w.take('statement')
        method = getattr(self, 'state_' + what.replace('-', '_'), None)
        if not method:
            w.fail(f'"{what}" is no statement')
        method(w)
        w.end()

    def state_header(self, w):
        self.header, self.external = w.take('header'), ''
        if w.peek() == 'external':
            w.take('external')
            self.external = w.text('source')

    def const(self, w, kind, name, value, arg='', base=16):
        self.put(self.abi.consts, name,
                 Const(w.where, self.header, kind, name, value, arg, base, self.unit,
                       self.external), 'constant')

    def state_int(self, w):
        name = w.name('constant')
        base = 16 if w.peek() and w.peek().lower().lstrip('-').startswith('0x') else 10
        value = w.number('value')
        if not -(1 << 63) <= value < 1 << 64:
            w.fail('value does not fit 64 bits')
        self.const(w, 'int', name, value, base=base)

    def state_bits(self, w):
        self.const(w, 'bits', w.name('field'), w.pair('bits'), base=10)

    def state_range(self, w):
        self.const(w, 'range', w.name('range'), w.pair('range'))

    def state_cap(self, w):
        name = w.name('capability')
        match = PAIR.match(w.take('byte:mask'))
        if not match or not 0 < int(match.group(2), 0) < 256:
            w.fail('a capability is stated as byte:mask')
        self.const(w, 'cap', name, (int(match.group(1), 0), int(match.group(2), 0)))

    def state_string(self, w):
        self.const(w, 'string', w.name('constant'), w.text('text'))

    def call(self, w):
        match = CALL.match(w.take('array'))
        if not match:
            w.fail('an array is stated as NAME(i)')
        return match.group(1), match.group(2)

    def state_array(self, w):
        name, arg = self.call(w)
        base, stride = w.number('base'), w.number('stride')
        self.const(w, 'array', name, (base, stride), arg)

    def state_bits_array(self, w):
        name, arg = self.call(w)
        high, low = w.pair('bits')
        self.const(w, 'bits-array', name, (high, low, w.number('stride')), arg, 10)

    def state_typedef(self, w):
        item = Typedef(w.where, w.name('type'), w.name('base type'), self.unit)
        if item.name in SCALARS:
            w.fail(f'{item.name} is a basic type')
        self.put(self.abi.typedefs, item.name, item, 'type')

    def state_status(self, w):
        self.put(self.abi.statuses, w.peek(),
                 Status(w.where, w.name('status'), w.number('value')), 'status')

    def state_iclass(self, w):
        item = Status(w.where, w.name('internal class'), 0)
        self.put(self.abi.iclasses, item.name, item, 'internal class')

    def state_struct(self, w, union=False):
        item = Struct(w.where, w.name('structure'), union, unit=self.unit)
        while w.peek() != '{':
            word = w.take('"{"')
            if word == 'size':
                item.size = w.number('size')
            elif word == 'external':
                item.external = w.text('source')
            elif word == 'packed':
                item.packed = True
            elif word == 'align':
                item.align = w.number('alignment')
            elif word == 'alias':
                item.alias.append(w.name('alias'))
            elif word in DIRS:
                item.dir = word
            else:
                w.fail(f'"{word}" is no option of a structure')
        w.take('{')
        self.put(self.abi.structs, item.name, item, 'structure')
        self.abi.aliases.update({alias: item.name for alias in item.alias})
        self.open.append(item)

    def state_union(self, w):
        self.state_struct(w, union=True)

    def params(self, w):
        word = w.take('parameters')
        if word == 'none':
            return Params()
        if word == 'size':
            return Params('size', size=w.number('size'))
        if not NAME.match(word):
            w.fail(f'"{word}" is no structure')
        return Params('type', word)

    def state_control(self, w):
        item = Control(w.where, w.number('command'), w.take('name'), w.name('internal class'),
                       self.params(w), [], [])
        if item.name == '-':
            item.name = ''
        elif not NAME.match(item.name):
            w.fail(f'"{item.name}" is no name')
        while w.more():
            word = w.take('option')
            if word == 'flags':
                item.flags = w.flags()
            elif word == 'rights':
                item.rights = w.flags()
            elif word == 'also':
                item.also = w.flags()
            elif word == 'becomes':
                item.becomes = w.name('control')
            elif word == 'by_class':
                item.by_class = True
            elif word == 'closed':
                item.closed = True
            elif word == 'serialised':
                item.serialised = True
            else:
                w.fail(f'"{word}" is no option of a control')
        self.put(self.abi.controls, item.cmd, item, 'control')

    def state_class(self, w):
        number, name, iclass = w.number('class'), w.name('name'), w.name('internal class')
        many = w.take('single or multi')
        if many not in ('single', 'multi'):
            w.fail(f'"{many}" is neither single nor multi')
        need = w.take('none, optional or required')
        if need not in ('none', 'optional', 'required'):
            w.fail(f'"{need}" is none of none, optional, required')
        params = Params() if need == 'none' else self.params(w)
        item = Class(w.where, number, name, iclass, many == 'multi', need, params, [], [], [])
        while w.more():
            word = w.take('option')
            if word == 'parents':
                item.parents = w.take('parents').split('|')
            elif word == 'flags':
                item.flags = w.flags()
            elif word == 'rights':
                item.rights = w.flags()
            else:
                w.fail(f'"{word}" is no option of a class')
        self.put(self.abi.classes, number, item, 'class')

    def numbered(self, w, table, what):
        number, name = w.number(what), w.name('name')
        params = w.name('structure') if w.more() else ''
        self.put(table, number, Numbered(w.where, number, name, params), what)

    def state_escape(self, w):
        self.numbered(w, self.abi.escapes, 'escape')

    def state_rpc(self, w):
        self.numbered(w, self.abi.rpcs, 'rpc function')

    def state_event(self, w):
        self.numbered(w, self.abi.events, 'rpc event')

    # -- Members of structures -------------------------------------------------------------------

    def member(self, w):
        word = w.take('type')
        if word == '}':
            w.end()
            self.open.pop()
            return
        if word in ('struct', 'union'):
            self.aggregate(w, word == 'union')
            return
        if not NAME.match(word):
            w.fail(f'"{word}" is no type')
        self.field_options(w, self.declarator(w, word))
        w.end()

    def declarator(self, w, type_name):
        match = DECL.match(w.take('field'))
        if not match:
            w.fail('a field is stated as name, name[n] or name:bits')
        item = Field(w.where, type_name, match.group(1))
        for dim in re.findall(r'\[([^\]]*)\]', match.group(2)):
            item.dims.append(None if dim == '' else int(dim, 0) if dim[0].isdigit() else dim)
        if match.group(3):
            item.bits = int(match.group(3))
        owner = self.open[-1]
        if any(f.name == item.name for f in owner.fields):
            w.fail(f'{owner.name} has a field {item.name} already')
        owner.fields.append(item)
        return item

    def aggregate(self, w, union):
        """struct NAME[n] when V|V select FIELD {, or struct { for members of the outer one."""
        owner = self.open[-1]
        if w.peek() == '{':
            item = Field(w.where, '', '')
            owner.fields.append(item)
        else:
            item = self.declarator(w, '')
        sub = Struct(w.where, f'{owner.name}.{item.name}' if item.name else owner.name, union,
                     dir=owner.dir, unit=owner.unit, packed=owner.packed)
        item.sub = sub
        while w.peek() != '{':
            word = w.take('"{"')
            if word == 'when':
                item.when = w.flags()
            elif word == 'select':
                item.select = w.name('field')
            elif word == 'align':
                sub.align = w.number('alignment')
            elif word in DIRS:
                item.dir = sub.dir = word
            else:
                w.fail(f'"{word}" is no option of a nested {"union" if union else "structure"}')
        w.take('{')
        w.end()
        self.open.append(sub)

    def field_options(self, w, item):
        while w.more():
            word = w.take('option')
            if word in DIRS:
                item.dir = word
            elif word in KINDS:
                item.kind = word
            elif word == 'secret':
                item.secret = True
            elif word == 'hex':
                item.hex = True
            elif word == 'counted':
                item.counted = w.name('field')
            elif word == 'when':
                item.when = w.flags()
            elif word == 'select':
                item.select = w.name('field')
            elif word == '->':
                item.pointer = Pointer(w.name('element'))
            elif word == 'optional' and item.pointer:
                item.pointer.optional = True
            elif word in ('times', 'max') and item.pointer:
                if word == 'times':
                    item.pointer.times = w.take('count')
                else:
                    item.pointer.max = w.number('maximum')
            else:
                w.fail(f'"{word}" is no option of a field')
