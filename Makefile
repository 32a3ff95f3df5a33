# SPDX-License-Identifier: MIT OR GPL-2.0-only
# The front door. `make help` lists the targets; meson and ninja do the work.

NVIDIA ?= yes
VM ?= yes
PROFILE ?= h100-sxm-80gb
GPUS ?= 1
# Of each fuzzer: make fuzz, and in check-full.
FUZZ_SECONDS ?= 60
FULL_FUZZ_SECONDS ?= 20
# Modules: for the running kernel; KERNEL=6.1 or 6.12 for one of Debian's, fetched; KDIR=path for any.
KERNEL ?=
KDIR ?= $(if $(KERNEL),$(shell tools/vm/kernel $(KERNEL))/headers,/lib/modules/$(shell uname -r)/build)

.PHONY: help demo build check check-full lint bench fuzz format nvidia-userspace install clean
.PHONY: modules install-modules uninstall-modules dkms-source vm-check vm-check-full vm-demo vm-shell

help:
	@echo 'make demo              install what is missing, build, run nvidia-smi, CUDA, an attestation and encrypted memory on a software H100'
	@echo 'make check             the same, then every quick test (about 15 minutes on 2 cores from nothing)'
	@echo 'make check-full        every build, test and count (more than two hours on 2 cores)'
	@echo 'make lint              formatting, cppcheck, the arrows between folders'
	@echo 'make bench             speed as ratios, measured in one run; draws docs/encryption.svg'
	@echo 'make fuzz              every fuzzer for FUZZ_SECONDS (60)'
	@echo 'make nvidia-userspace  unpack NVIDIA'\''s clients from Debian non-free under build/nvidia'
	@echo 'make modules           the kernel modules for the running kernel, or KERNEL=6.1|6.12, or KDIR=path'
	@echo 'make install-modules   installs them on this machine; uninstall-modules; dkms-source'
	@echo 'make vm-demo           boots a kernel with the modules in QEMU and shows nvidia-smi there'
	@echo 'make vm-check          the modules'\'' quick tests in that virtual machine; vm-check-full: all'
	@echo 'make vm-shell          a shell in that virtual machine'
	@echo 'VM=no leaves the virtual machine out of check and check-full'
	@echo 'NVIDIA=no leaves NVIDIA'\''s programs out; GPUS=N and PROFILE=P choose the machine of demo'

build/plain/build.ninja:
	@tools/packages.sh build
	meson setup build/plain --buildtype=debugoptimized >build-setup.log 2>&1 || \
		{ cat build-setup.log; rm -f build-setup.log; exit 1; }
	@rm -f build-setup.log

build: build/plain/build.ninja
	@ninja -C build/plain --quiet

nvidia-userspace:
	@tools/packages.sh build
	@tools/nvidia-userspace.sh

demo: build/plain/build.ninja
	@ninja -C build/plain --quiet host/user/leafhopper host/user/libleafhopper-preload.so tests/cuda/cuda_copy \
		bench/bench_migration
ifneq ($(NVIDIA),no)
	@tools/nvidia-userspace.sh || echo 'NVIDIA'\''s programs could not be fetched: using leafhopper smi'
endif
	@tools/demo.sh $(GPUS) $(PROFILE) $(NVIDIA)

check:
	@tools/packages.sh check
	@python3 tools/check.py quick --nvidia $(NVIDIA) --vm $(VM)

check-full:
	@tools/packages.sh full
	@python3 tools/check.py full --nvidia $(NVIDIA) --vm $(VM) --seconds $(FULL_FUZZ_SECONDS)

lint: build
	@tools/packages.sh check
	@python3 tools/lint.py --build build/plain

modules:
	@tools/packages.sh vm
	+@$(MAKE) --no-print-directory -C host/linux KDIR=$(abspath $(KDIR))

install-modules uninstall-modules: build
	+@$(MAKE) --no-print-directory -C host/linux KDIR=$(abspath $(KDIR)) $@

dkms-source:
	+@$(MAKE) --no-print-directory -C host/linux $@

vm-check vm-check-full vm-demo vm-shell: build
	@tools/packages.sh $(if $(filter vm-check-full,$@),full,vm)
	@python3 tools/vm/check.py $(@:vm-%=%) --nvidia $(NVIDIA) --gpus $(GPUS)

bench:
	@tools/packages.sh full
	@test -e build/release/build.ninja || meson setup build/release --buildtype=release -Db_lto=true \
		-Dlock_checks=false -Dalloc_faults=false >/dev/null
	@ninja -C build/release --quiet benchmarks
	@python3 bench/run.py --build build/release --plot docs/encryption.svg

fuzz:
	@tools/packages.sh check
	@test -e build/fuzz/build.ninja || CC=clang meson setup build/fuzz -Dfuzzers=true \
		-Db_sanitize=address,undefined -Db_lundef=false >/dev/null
	@ninja -C build/fuzz --quiet fuzzers
	@python3 tools/check.py fuzz --seconds $(FUZZ_SECONDS)

format:
	@git ls-files '*.c' '*.h' | xargs clang-format -i

install: build
	@meson install -C build/plain --no-rebuild

clean:
	rm -rf build
