# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke full debug short
# nvidia-smi runs; its output is compared with the user-space host's on the machine that started us.

# test_calls: 240 seconds
test_calls() {
	need_smi
	[ -e $share/calls ] || skip "no calls to compare were handed in"
	mkdir -p $share/got
	now=
	while read -r number gpus words; do
		if [ "$gpus" != "$now" ]; then
			[ -z "$now" ] || unload
			load "$gpus"
			load_uvm
			now=$gpus
		fi
		bus=$(gpu_functions | head -n 1)
		words=$(echo "$words" | sed "s/BUS_ID/$bus/")
		status=0
		# shellcheck disable=SC2086
		smi $words >"$share/got/$number.out" 2>"$share/got/$number.err" || status=$?
		echo "$status" >"$share/got/$number.rc"
		# The user-space host's calls have a machine each: what one set the next must not find.
		case "$words" in
		-pm\ * | -c\ * | -e\ * | -am\ * | -pl\ * | -lgc\ * | -rgc* | -lmc\ * | -rmc*)
			unload
			now=
			;;
		esac
	done <$share/calls
	[ -z "$now" ] || unload
}

test_as_another_user() {
	need_smi
	load
	# nvidia-smi changes nothing without the right to, and shows the table.
	su nobody -s /bin/sh -c 'nvidia-smi' | tee /dev/stderr | grep -q 'NVIDIA-SMI'
}
