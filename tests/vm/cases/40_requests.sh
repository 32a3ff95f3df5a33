# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug short
# Requests of programs through real system calls: those of the user-space host's tests, and wrong ones.

client() {
	load 2
	timeout 60 "$@"
	unload
}

test_basics() { client /vm/host_client basics; }
test_descriptors() { client /vm/host_client descriptors; }
test_faults() { client /vm/host_client faults; }
test_threads() { client /vm/host_client threads; }
test_signals() { client /vm/host_client signals; }
test_poll() { client /vm/host_client poll; }

# Rows I1 to I9 and R1 to R10: vm_client.
test_row_order() { client /vm/vm_client order; }
test_row_shapes() { client /vm/vm_client shapes; }
test_row_information() { client /vm/vm_client information; }
test_row_version() { client /vm/vm_client version; }
test_row_settings() { client /vm/vm_client settings; }
test_row_files() { client /vm/vm_client files; }
test_row_controls() { client /vm/vm_client controls; }
test_row_objects() { client /vm/vm_client objects; }
test_row_parts() { client /vm/vm_client parts; }
test_row_rights() { client /vm/vm_client rights; }

# What a client has the driver allocate counts for its memory cgroup, where it ends: by NO_MEMORY, or
# killed for it. Others go on.
# test_greedy: 120 seconds
test_greedy() {
	group=/tmp/cgroup
	mkdir -p $group
	mount -t cgroup2 none $group || skip "no cgroups"
	grep -qw memory $group/cgroup.controllers || skip "no memory cgroups"
	load
	hold_client
	echo +memory >$group/cgroup.subtree_control
	mkdir $group/small
	echo 16M >$group/small/memory.max
	expect 'Call Trace'
	status=0
	sh -c "echo \$\$ >$group/small/cgroup.procs; exec timeout 100 /vm/vm_client greedy" || status=$?
	cat $group/small/memory.events
	[ "$status" = 0 ] || [ "$status" = 137 ] || fail "not stopped by its cgroup: status $status"
	grep -Eq '^(max|oom) [1-9]' $group/small/memory.events || fail "its cgroup did not count"
	check_equal 0 "$(($(ask_client)))" "another client's request"
	end_client
	wait_for 10 rmdir $group/small
	umount $group
	unload
}

# A client cannot fill the log: 200 lines in 5 s, and what there was no room for is counted.
test_loud() {
	load
	before=$(dmesg | wc -l)
	/vm/vm_client loud
	lines=$(($(dmesg | wc -l) - before))
	[ "$lines" -ge 10 ] || fail "only $lines lines"
	[ "$lines" -le 450 ] || fail "$lines lines"
	sleep 6
	/vm/vm_client loud
	logged 'nvidia: [0-9]+ callbacks suppressed' || fail "nobody counted"
	unload
}
