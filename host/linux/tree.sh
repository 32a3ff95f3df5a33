#!/bin/sh
# SPDX-License-Identifier: MIT OR GPL-2.0-only
# tree.sh TOP OUT: links under OUT to the sources that Kbuild compiles, a folder for each module, and
# to the headers beside them.
# Links stay as they are where nothing changed; those whose source went are removed.
set -eu
top=$1
out=$2

# link MODULE FOLDER: FOLDER is below TOP
link() {
	mkdir -p "$out/$1/$2"
	for source in "$top/$2"/*.[ch]; do
		if [ -e "$source" ] && [ ! -L "$out/$1/$2/${source##*/}" ]; then
			ln -sf "$source" "$out/$1/$2/${source##*/}"
		fi
	done
}

# link_made MODULE: what the interface's generator makes, and who reads it
link_made() {
	mkdir -p "$out/$1/abi"
	ln -sf "$top/abi/serial.c" "$out/$1/abi/serial.c"
	ln -sf ../../generated/abi/tables.c "$out/$1/abi/tables.c"
}

# link_crypto MODULE: os/crypto.h, of which Kbuild takes what the kernel allows
link_crypto() {
	link "$1" src/os
	link "$1" src/os/linux/crypto
	link "$1" src/os/linux/without_crypto
}

mkdir -p "$out"
ln -sf "$top/host/linux/Kbuild" "$out/Kbuild"

link nvidia src/base
link nvidia src/os/linux
link_crypto nvidia
for folder in "$top"/src/rm "$top"/src/rm/*/; do
	folder=${folder%/}
	link nvidia "${folder#"$top"/}"
done
link nvidia host/linux/nvidia
link_made nvidia

# a device's module drives none: of os.h it needs what is not about devices
link softh100 src/os/linux
for source in firmware irq pages pci pciwait tee; do
	rm -f "$out/softh100/src/os/linux/$source.c"
done
link softh100 src/h100/function
link softh100 host/linux/softh100

link os_selftest src/os/linux
link_crypto os_selftest
link os_selftest host/linux/tests
mkdir -p "$out/os_selftest/tests/unit"
for source in "$top"/tests/unit/*_answers.[ch]; do
	[ ! -e "$source" ] || ln -sf "$source" "$out/os_selftest/tests/unit/${source##*/}"
done

link softh100_selftest host/linux/tests/softh100

# what is a device's, its pages and registers, nvidia.ko has and exports
link nvidia-uvm src/base
link nvidia-uvm src/os/linux
for source in firmware irq pages pci pciwait tee; do
	rm -f "$out/nvidia-uvm/src/os/linux/$source.c"
done
for folder in src/uvm src/uvm/hal src/uvm/test host/linux/nvidia-uvm; do
	link nvidia-uvm "$folder"
done

for module in nvidia-modeset nvidia-drm nvidia-peermem; do
	if [ -d "$top/host/linux/$module" ]; then
		link "$module" "host/linux/$module"
		link "$module" src/os/linux
	fi
done
find "$out" -xtype l -delete
