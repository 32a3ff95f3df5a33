# SPDX-License-Identifier: MIT OR GPL-2.0-only
# shellcheck shell=sh
# Sourced by tools that fetch Debian packages without installing them: a private apt configuration,
# derived from the machine's own, which is only read.
#
#	apt_begin DIRECTORY     make the configuration there and read the archives' lists
#	apt_run TOOL ARGS...    apt-get, apt-cache with it
#	apt_unpack TARGET PACKAGE[=VERSION]...   download packages and unpack them under TARGET
#	apt_end                 remove it
# Needs $top, the project's directory.

apt_begin() {
	apt_dir=$1
	rm -rf "$apt_dir"
	mkdir -p "$apt_dir/lists/partial" "$apt_dir/cache/archives/partial" "$apt_dir/debs"
	python3 "$top/tools/apt_sources.py" >"$apt_dir/private.sources"
	apt_run apt-get update -qq
}

apt_run() {
	apt_tool=$1
	shift
	"$apt_tool" -o Dir::Etc::sourcelist="$apt_dir/private.sources" \
		-o Dir::Etc::sourceparts=/dev/null -o Dir::State::Lists="$apt_dir/lists" \
		-o Dir::Cache="$apt_dir/cache" -o APT::Sandbox::User=root -o Debug::NoLocking=1 "$@"
}

apt_unpack() {
	apt_target=$1
	shift
	(cd "$apt_dir/debs" && apt_run apt-get download -qq "$@")
	mkdir -p "$apt_target"
	for apt_deb in "$apt_dir"/debs/*.deb; do
		dpkg-deb -x "$apt_deb" "$apt_target"
		rm -f "$apt_deb"
	done
}

apt_end() {
	rm -rf "$apt_dir"
}
