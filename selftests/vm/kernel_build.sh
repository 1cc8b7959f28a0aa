# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A kernel that is built here from the distribution's source, for kernel.sh. Its flavour names the
# fragments it is configured with, beyond what the tests ask for: base, or base+debug. What is built
# stays until somebody asks for newer, or one of its fragments is changed.
#
# shellcheck disable=SC2034,SC2154 # kernel.sh's

. "$here/config.sh"
sources=$cache/sources
builds=$cache/builds
build=$builds/${kernel/:/-}

# A release of its own, so that kernels of one source are not taken for each other.
fragment() {
	echo "CONFIG_LOCALVERSION=\"-${kernel%%:*}\""
	cat "$top/selftests/config"
	for part in ${flavour//+/ }; do
		cat "$here/$part.config"
	done
}

# By an apt of its own that knows only that suite.
fetch_source() {
	local tmp

	say "fetching $source of $suite"
	mkdir -p "$sources"
	tmp=$(mktemp -d "$sources/tmp.XXXXXX")
	# shellcheck disable=SC2064 # this tmp
	trap "rm -rf '$tmp'" EXIT
	mkdir -p "$tmp"/{lists,archives}/partial
	"$here/root.sh" sources "$suite" >"$tmp/sources.list"
	cat >"$tmp/apt.conf" <<-END
		Dir::Etc::SourceList "$tmp/sources.list";
		Dir::Etc::SourceParts "/dev/null";
		Dir::State::Lists "$tmp/lists";
		Dir::Cache "$tmp";
		APT::Sandbox::User "$(id -un)";
	END
	: >"$apt_log"
	export APT_CONFIG=$tmp/apt.conf
	if ! apt-get -q update >>"$apt_log" 2>&1 || ! apt_get_deb "$tmp" "$source/$suite"; then
		cat "$apt_log" >&2
		die "cannot fetch $source of $suite"
	fi
	unset APT_CONFIG
	dpkg-deb --fsys-tarfile "$tmp"/*.deb | tar -xO "./usr/src/$source.tar.xz" | tar -C "$tmp" -xJ
	# By rename, so that a source that is half unpacked is never taken for one.
	mv -T "$tmp/$source" "$sources/$source"
	rm -rf "$tmp"
	trap - EXIT
}

# The make that we may be under has settings of its own.
run_make() {
	env -u MAKEFLAGS -u MAKELEVEL -u KBUILD_OUTPUT make -s -C "$sources/$source" O="$build" "$@" \
		>>"$build.log" 2>&1 ||
		{ tail -n 30 "$build.log" >&2; die "cannot build $kernel: $build.log"; }
}

build_kernel() {
	local dropped

	"$here/packages.sh" build kernel
	[[ -d $sources/$source ]] || fetch_source
	say "building $kernel, which takes some minutes: $build.log"
	rm -rf "$build"
	mkdir -p "$build"
	: >"$build.log"
	fragment >"$build/fragment"
	run_make KCONFIG_ALLCONFIG="$build/fragment" allnoconfig
	# Kconfig drops in silence what depends on something that is off.
	dropped=$(missing_options "$build/fragment" "$build/.config" | xargs)
	[[ -z $dropped ]] || die "$kernel cannot have $dropped: what do they depend on?"
	run_make -j"$(nproc)" bzImage modules
	# Last, so that what is half built is never taken for a kernel.
	mv "$build/fragment" "$build/built"
}

is_built() {
	cmp -s "$build/built" <(fragment)
}

locate() {
	local lock

	mkdir -p "$builds"
	if ! is_built; then
		exec {lock}>"$build.lock"
		flock "$lock"
		is_built || build_kernel
		exec {lock}>&-
	fi
	headers=$build
	release=$(<"$build/include/config/kernel.release")
	root=
	slowness=$(config_slowness "$headers/.config")
	module=$top/build/module/$release/memstress.ko
}

fetch() {
	vmlinuz=$build/arch/x86/boot/bzImage
	modules=$build
}

refresh() {
	# Others that were built from it have to follow.
	rm -rf "${sources:?}/$source" "$builds"/*/built
	locate
}
