# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# Many at once, and ends at any moment.

# test_crowd: 300 seconds
test_crowd() {
	load 2
	count=$(rounds 200 40)
	for i in $(seq "$count"); do
		( /vm/vm_client survive; echo "$?" >"/tmp/crowd.$i" ) &
	done
	wait
	for i in $(seq "$count"); do
		check_equal 0 "$(cat "/tmp/crowd.$i")" "client $i"
	done
	rm -f /tmp/crowd.*
	/vm/vm_client controls
	unload
}

# test_many_smi: 300 seconds
test_many_smi() {
	need_smi
	load 2
	count=$(rounds 24 6)
	for i in $(seq "$count"); do
		( timeout 200 nvidia-smi -q >/tmp/smi.$i 2>&1; echo "$?" >"/tmp/crowd.$i" ) &
	done
	wait
	for i in $(seq "$count"); do
		check_equal 0 "$(cat "/tmp/crowd.$i")" "nvidia-smi $i"
	done
	rm -f /tmp/crowd.* /tmp/smi.*
	unload
}

# test_kills: 300 seconds
test_kills() {
	load 2
	for i in $(seq "$(rounds 200 30)"); do
		/vm/vm_client busy 2>/dev/null &
		victim=$!
		usleep $((i * 7919 % 90000))
		kill -9 $victim
		wait $victim || true
	done
	/vm/vm_client controls
	unload
}
