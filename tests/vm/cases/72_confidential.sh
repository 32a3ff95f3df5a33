# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: full debug
# GPUs in confidential mode: their session, who they are, private pages, encrypted unified memory, and
# a host that changes what is shared.

. /vm/tests/softh100.sh

# load_confidential COUNT [PARAMETER...]: of softh100
load_confidential() {
	confidential_gpus=$1
	shift
	load_gpu "$confidential_gpus" "$@"
	load_driver
}

# told OPTION LINE: what nvidia-smi conf-compute says
told() {
	check_equal "$2" "$(smi conf-compute "$1" | grep .)" "conf-compute $1"
}

tamper() {
	echo "$2" >"/sys/kernel/debug/softh100/$1/tamper"
}

# attest STATUS [OPTION...]
attest() {
	attest_wanted=$1
	shift
	attest_got=0
	leafhopper attest "$@" >/tmp/attest.out 2>&1 || attest_got=$?
	cat /tmp/attest.out
	check_equal "$attest_wanted" "$attest_got" "leafhopper attest $*"
}

test_parameters() {
	for parameter in cc=maybe cc= tee=sgx; do
		! modprobe softh100 $parameter 2>/dev/null || fail "$parameter was taken"
	done
	logged 'softh100: cc=maybe: off, on or devtools' || fail "the log does not say what cc may be"
	logged 'softh100: tee=sgx: none, tdx or sev-snp' || fail "the log does not say what tee may be"
	! modprobe nvidia cc_root=/nowhere 2>/dev/null || fail "no certificate was taken"
	logged 'NVRM: cc_root: /nowhere: error 2' || fail "the log does not say what is missing"
	modprobe softh100
	check_equal off "$(cat /sys/module/softh100/parameters/cc)" "the mode unless somebody says so"
}

# test_modes: 120 seconds
test_modes() {
	need_smi
	load_confidential 2 cc=on
	told -f 'CC status: ON'
	told -gc 'CPU CC capabilities: INTEL TDX'
	told -gg 'GPU CC capabilities: CC Capable'
	told -e 'CC Environment: INTERNAL'
	told -d 'DevTools Mode: OFF'
	told -grs 'Confidential Compute GPUs Ready state: not-ready'
	logged 'NVRM: GPU0: BAR1 trusted: 0, PCIe trusted: 0' || fail "BARs are trusted"
	logged 'NVRM: GPU1: confidential compute is on$' || fail "the log does not say that it is on"
	check_equal 2 "$(smi -L | grep -c 'GPU [01]: NVIDIA H100')" "GPUs that are listed"
	smi conf-compute -gm | tee /dev/stderr | grep -q 'Unprotected memory size:  *0 KiB'
	unload
	load_confidential 1 cc=devtools tee=sev-snp
	told -f 'CC status: ON'
	told -d 'DevTools Mode: ON'
	told -gc 'CPU CC capabilities: AMD SEV'
	told -grs 'Confidential Compute GPUs Ready state: ready'
	unload
}

# What of the CPU the driver insists on, and what the registry may have it do without.
# test_cpu: 120 seconds
test_cpu() {
	need_smi
	load_confidential 1 cc=on tee=none
	! smi -L >/dev/null 2>&1 || smi -L | grep -q 'No devices' || fail "the GPU started"
	logged 'NVRM: GPU0: CPU does not support confidential compute' || fail "the log does not say why"
	unload_driver
	load_driver NVreg_RegistryDwords='"RmConfidentialCompute=1"'
	told -f 'CC status: ON'
	told -gc 'CPU CC capabilities: None'
	unload
	# A GPU whose mode is off has no responder.
	load_gpu 1
	load_driver NVreg_RegistryDwords='"RmConfidentialCompute=1"'
	! smi -L 2>/dev/null | grep -q 'NVIDIA H100' || fail "a GPU without a responder started"
	logged 'confidential compute: SPDM session failed: 0x56' || fail "the log does not say why"
	unload
	# Of a CPU that protects memory, a GPU in no such mode.
	load_gpu 1 tee=tdx
	load_driver
	told -f 'CC status: OFF'
	told -gc 'CPU CC capabilities: INTEL TDX'
	attest 3
	/vm/vm_client controls
	unload
}

# Who the GPU is: the same reference values as on the user-space host, and another one for each byte
# that is changed.
# test_attestation: 120 seconds
test_attestation() {
	load_confidential 2 cc=on
	attest 0 --gpu 1
	attest 0
	grep -q 'passed  *measurement 2 .*firmware' /tmp/attest.out
	unload
	cp -r /vm/profiles /tmp/profiles
	echo '#' >>/tmp/profiles/h100-sxm-80gb.profile
	echo '# nothing happens' >/tmp/scenario
	modprobe softh100 cc=on
	leafhopper-gpu --profiles /tmp/profiles --scenario /tmp/scenario
	load_driver
	attest 1
	grep -q 'FAILED  *measurement 3' /tmp/attest.out
	grep -q 'FAILED  *measurement 4' /tmp/attest.out
	grep -q 'passed  *measurement 2' /tmp/attest.out
	grep -q 'passed  *signature' /tmp/attest.out
	unload
}

# The driver trusts the root that it is given, and no other.
# test_root: 120 seconds
test_root() {
	sed '/-----/d' /usr/share/leafhopper/test_root.pem | base64 -d >/tmp/root.der
	load_gpu 1 cc=on
	load_driver cc_root=/tmp/root.der
	attest 0
	unload_driver
	{
		head -c 300 /tmp/root.der
		printf '\377'
		tail -c +302 /tmp/root.der
	} >/tmp/other.der
	load_driver cc_root=/tmp/other.der
	attest 4
	logged 'confidential compute: SPDM session failed' || fail "the log does not say why"
	unload
	# An issuer that is none makes no GPU.
	echo nonsense >/tmp/issuer.pem
	modprobe softh100 cc=on
	! leafhopper-gpu --issuer /tmp/issuer.pem || fail "an issuer that is none was taken"
	! leafhopper-gpu --issuer /nowhere || fail "no issuer was taken"
	logged 'the issuer of its certificates is none' || fail "the log does not say why"
	check_equal absent "$(cat "$slot")" "slot of a GPU that nobody certifies"
}

# Where the CPU protects memory a GPU reaches what is shared with it, and nothing else.
test_private_pages() {
	need_client
	modprobe softh100 tee=tdx
	serve 0
	modprobe softh100_selftest quick=1
	why='Bad address'
	# shellcheck disable=SC2046
	{
		inject 0 read $(buffer coherent) 0x11
		inject 0 write $(buffer coherent) 0x77
		refused 0 read $(buffer to) 0x22
		refused 0 write $(buffer from) 0x44
	}
	holds coherent 0x77
	holds to 0x22
	holds from 0x33
	modprobe -r softh100_selftest
	! logged 'left .* pages mapped' || fail "pages are left"
	unserve
}

# test_unified_memory: 240 seconds
test_unified_memory() {
	load_confidential 2 cc=on
	load_uvm uvm_enable_builtin_tests=1
	before=$(cat /sys/kernel/debug/nvidia-uvm/live)
	for row in uvm uvm-secret; do
		/vm/vm_client $row || fail "$row: status $?"
	done
	check_equal "$before" "$(cat /sys/kernel/debug/nvidia-uvm/live)" "live allocations"
	unload
}

# A process that ends takes its session along; the next one's GPU has a new one.
# test_begun_anew: 120 seconds
test_begun_anew() {
	load_confidential 1 cc=on
	hold_client
	check_equal 0 "$(($(ask_client)))" "a request"
	# A session does not outlive its firmware: there is no suspend.
	! echo suspend >/proc/driver/nvidia/suspend || fail "suspended"
	check_equal 0 "$(($(ask_client)))" "a request after a suspend that was refused"
	end_client
	expect 'NVRM: .*(fallen off the bus|79)'
	killall -9 leafhopper-gpu
	wait_for 10 no_gpu_process
	leafhopper-gpu
	bus=$(gpu_functions)
	echo "$bus" >/sys/bus/pci/drivers/nvidia/unbind
	echo 1 >"/sys/bus/pci/devices/$bus/reset"
	echo "$bus" >/sys/bus/pci/drivers/nvidia/bind
	attest 0
	unload
}

# A bit of a message is another one: the driver, or the GPU, takes no further word. Others go on.
# test_tampered: 240 seconds
test_tampered() {
	for how in 'write 37' 'read 15'; do
		load_confidential 2 cc=on
		hold_client
		check_equal 0 "$(($(ask_client)))" "before"
		tamper 0 "${how% *} 4096 1"
		# NV_ERR_INVALID_DATA of a reply, NV_ERR_GPU_IS_LOST of a command
		check_equal "${how#* }" "$(($(ask_client 30)))" "status of a message with a wrong bit (${how% *})"
		check_equal 0 "$(cat /sys/kernel/debug/softh100/0/tamper)" "pieces that are left to be changed"
		logged 'NVRM: Xid .*: 120' || fail "no Xid 120"
		[ "$(($(ask_client)))" -ne 0 ] || fail "a GPU that is lost answered"
		end_client
		leafhopper attest --gpu 1 || leafhopper attest || fail "the other GPU does not go on"
		unload
	done
	load_confidential 1 cc=on
	attest 0
	unload
}

# asked WANTED WHAT: a request of the client that is held
asked() {
	check_equal "$1" "$(($(ask_client 30)))" "$2"
}

# A bit of managed memory's ciphertext is another one: it is not delivered, and nothing more moves.
# test_tampered_memory: 240 seconds
test_tampered_memory() {
	for how in write read; do
		load_confidential 1 cc=on
		load_uvm
		hold_client hold-secret
		asked 0 "from the GPU"
		asked 0 "to the GPU"
		case $how in
		write)
			tamper 0 'write 2048 1'
			# NV_ERR_INVALID_DATA: the driver does not open it
			asked 37 "from the GPU, with a wrong bit"
			;;
		read)
			asked 0 "from the GPU"
			tamper 0 'read 2048 1'
			# NV_ERR_RC_ERROR: the engine does not
			asked 96 "to the GPU, with a wrong bit"
			logged 'NVRM: Xid' || fail "no Xid"
			;;
		esac
		# To where it is, which moves nothing; then the same way again.
		ask_client 30
		[ "$(($(ask_client 30)))" -ne 0 ] || fail "memory moved by queues that stand still"
		end_client
		unload
	done
}
