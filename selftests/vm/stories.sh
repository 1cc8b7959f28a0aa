#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# stories.sh test [STORY...]: install the tree in a lab machine that has container engines, boot it, and
# run these of selftests/stories there (all of them unless named). KTAP; the last line is:
# N passed, N failed, N skipped
# stories.sh shell: be root there
# stories.sh refresh: make its root anew
#
# Environment: SUITE, of the lab machine, one of the list in labs (bookworm); lab.sh's; LIMIT is an
# hour unless set.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)
. "$here/apt.sh"
. "$here/lab_machine.sh"

suite=${SUITE:-bookworm}
out=$top/build/lab
root=$out/root
export LIMIT=${LIMIT:-3600}

# Two runs would take each other's root away.
lock_root() {
	mkdir -p "$top/build"
	exec {lock}>"$top/build/lab.lock"
	flock -n "$lock" || { say "waiting for another run"; flock "$lock"; }
}

list_stories() {
	find "$top/selftests/stories" -name '*.sh' -perm -u+x -printf '%f\n' | sort | sed 's/\.sh$//'
}

# What takes long in an emulated machine is done here.
install_tree() {
	local lower

	lock_root
	lower=$("$here/root.sh" stories "$suite")
	say "installing the tree in $(basename "$lower")"
	mount_root "$lower" "$out"
	copy_tree "$root/root/memstress"
	"$here/root.sh" run "$root" "$root/root/memstress" sh -euc '
		make -s -C /mnt install
		gcc -O2 -Wall -static -o /usr/local/bin/eat /mnt/selftests/stories/eat.c' \
		>"$out/install.log" 2>&1 ||
		{ cat "$out/install.log" >&2; die "make install has failed in the lab machine"; }
	echo memstress >"$root/etc/modules-load.d/memstress.conf"
	# Engines want a file system below their own that is no overlay.
	printf 'tmpfs /var/lib/%s tmpfs mode=700 0 0\n' docker containers >>"$root/etc/fstab"
	mkdir -p "$root"/var/lib/{docker,containers}
}

boot() {
	"$here/lab.sh" "$root" "$(basename "$root"/boot/vmlinuz-* | sed 's/^vmlinuz-//')" "$out/logs" "$@"
}

run_stories() {
	local story programs=()

	for story; do
		[[ -x $top/selftests/stories/$story.sh ]] ||
			die "there is no story $story, only $(list_stories | xargs)"
		programs+=("selftests/stories/$story.sh")
	done
	install_tree
	add_unit "$root" "${programs[@]}"
	echo "KTAP version 1"
	echo "1..$#"
	boot | sed -u 's/^memstress-vm:/# &/'
	umount_root "$out"
	say "logs of this run: $out/logs"
	tail -n 1 "$out/logs/results.log" | awk -f "$here/counts.awk" | awk '
		{ printf "%d passed, %d failed, %d skipped\n", $1, $2, $3 + $4; exit $2 > 0 }'
}

be_root() {
	install_tree
	add_login "$root"
	say "poweroff ends it; what you change is forgotten then"
	boot shell || true
	umount_root "$out"
}

case ${1:?test, shell or refresh} in
test)
	shift
	(($#)) || mapfile -t names < <(list_stories)
	# All downloads come first.
	"$here/root.sh" stories "$suite" >/dev/null
	own_mounts "$0" unshared run_stories "${@:-${names[@]}}"
	;;
shell)
	"$here/root.sh" stories "$suite" >/dev/null
	own_mounts "$0" unshared be_root
	;;
refresh)
	"$here/root.sh" refresh-stories "$suite" >/dev/null
	;;
unshared)
	shift
	keep_mounts
	"$@"
	;;
*)
	die "stories.sh: what is '$1'?"
	;;
esac
