#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# conftest.sh KDIR TESTS OUT: compiles each TESTS/name.c against the kernel's headers and writes
# OUT/conftest.h, in which HAVE_NAME is defined where it compiled. What the compiler said is in
# OUT/conftest/log.
set -eu
kdir=$1
tests=$2
out=$3
work=$out/conftest

rm -rf "$work"
mkdir -p "$work"
objects=
for test in "$tests"/*.c; do
	cp "$test" "$work/"
	name=${test##*/}
	objects="$objects ${name%.c}.o"
done
{
	echo "ccflags-y := -Werror"
	echo "obj-m := $objects"
} >"$work/Kbuild"
# one call, which goes on after a test that does not compile
# shellcheck disable=SC2086
"${MAKE:-make}" -k -C "$kdir" M="$work" W= C= $objects >"$work/log" 2>&1 || :

# a test that always compiles: without it every interface would look absent
if [ ! -e "$work/works.o" ]; then
	echo "nothing compiles against $kdir:" >&2
	cat "$work/log" >&2
	exit 1
fi
for object in $objects; do
	name=$(printf '%s' "${object%.o}" | tr 'a-z-' 'A-Z_')
	if [ -e "$work/$object" ]; then
		echo "#define HAVE_$name 1"
	else
		echo "/* no HAVE_$name */"
	fi
done >"$out/conftest.h.new"
mv "$out/conftest.h.new" "$out/conftest.h"
