# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# tiers: smoke short
# A GPU in confidential mode starts, and is who the build says it is.

# test_session: 60 seconds
test_session() {
	load_gpu 1 cc=on
	load_driver
	leafhopper attest
	logged 'NVRM: GPU0: confidential compute is on$' || fail "the log does not say that it is on"
	unload
}
