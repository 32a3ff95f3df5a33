# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# What the tests of softh100.ko share: a client of the tests' own serves the GPUs.

client=/vm/softh100_client
slot=/sys/kernel/debug/softh100/0/slot
buffers='/sys/kernel/debug/softh100_selftest/*/buffers'

need_client() {
	[ -x $client ] || skip "softh100_client is not there"
}

# serve GPU: on the bus when it returns
serve() {
	$client serve "$1" &
	server=$!
	wait_for 5 grep -q present "/sys/kernel/debug/softh100/$1/slot"
	wait_for 5 enumerated $(($1 + 1))
}

enumerated() {
	lspci -Dnd 10de: | grep -q ":0*$1:00.0 "
}

unserve() {
	kill $server
	wait $server || true
}

# refused GPU WORDS...: the answer is an error whose text (by the shell) is $why
refused() {
	refused_file=$(inject_file "$1")
	shift
	# Not every shell says which error it was.
	! busybox sh -c 'echo "$0" >"$1"' "$*" "$refused_file" 2>/tmp/why || fail "inject $*: not refused"
	grep -q "$why" /tmp/why || fail "inject $*: $(cat /tmp/why)"
}

# buffer NAME: its DMA address and size
buffer() {
	# shellcheck disable=SC2086
	sed -n "s/^$1 \(0x[0-9a-f]*\) \([0-9]*\) .*/\1 \2/p" $buffers
}

# holds NAME BYTE
holds() {
	# shellcheck disable=SC2086
	grep -q "^$1 .* $2\$" $buffers
}
