#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# What make install has installed, in a lab machine that has booted. The tree is in /root/memstress.
set -uo pipefail
here=$(dirname "$0")
. "$here/cases.sh"
cd "$here/../.." || exit

kernel=$(uname -r)
version=$(sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
device=/dev/memstress

# is TEXT EXPECTED
is() {
	[[ $1 == "$2" ]] || complain "'$1', expected '$2'"
}

systemd_is_well() {
	is "$(systemctl is-system-running --wait)" running || complain "$(systemctl --failed --plain)"
}

is_not_loaded_at_boot() {
	[[ ! -e /sys/module/memstress && ! -e $device ]] || complain "it is loaded"
}

loads() {
	run modprobe memstress
	expect 0 && is "$(cat /sys/module/memstress/version)" "$version" || return
	[[ $(modinfo -n memstress) == /lib/modules/$kernel/updates/dkms/memstress.ko* ]] ||
		complain "$(modinfo -n memstress)" || return
	udevadm settle
	[[ -c $device ]] || complain "no $device"
}

# O: out of tree. E: not signed with a key of the kernel's. N: a test, since 6.0
taints_as_it_should() {
	local letters=OE

	(($(cut -d . -f 1 <<<"$kernel") < 6)) || letters=OEN
	is "$(cat /sys/module/memstress/taint)" $letters
}

owner() {
	stat -c '%U:%G %a' $device
}

# The kernel's own default is the same, so look at who says so.
is_roots_by_our_rule() {
	is "$(owner)" "root:root 600" || return
	run env SYSTEMD_LOG_LEVEL=debug udevadm test --action=add /sys/class/misc/memstress
	said '/60-memstress.rules:[0-9]* .*MODE 0*600'
}

udev_again() {
	udevadm control --reload && udevadm trigger --settle --action=change /sys/class/misc/memstress
}

# As the comment in the rule says
can_be_given_to_a_group() {
	sed -n 's/^#   //p' /usr/lib/udev/rules.d/60-memstress.rules >"$tmp/recipe"
	# shellcheck disable=SC1091 # the guest's
	. "$tmp/recipe" && udev_again && is "$(owner)" "root:memstress 660" || return
	rm /etc/udev/rules.d/61-memstress.rules
	udev_again && is "$(owner)" "root:root 600" && groupdel memstress
}

doctor_is_content() {
	run memstress doctor
	expect 0
}

list_cgroups() {
	find /sys/fs/cgroup -type d -name 'memstress*' ! -name '*.service'
}

# has_run ARGUMENT...: the tool's verdict is PASS, and systemd does not notice
has_run() {
	run "$@"
	expect 0 && said '^PASS' && is "$(list_cgroups)" "" && systemd_is_well
}

runs_out_of_memory() {
	has_run memstress run --kind page --max 64M --until oom
	grep -E '^(cgroup|PASS)' "$tmp/out" | sed 's/^/# /'
	((!status))
}

# Outside of what systemd has given it, where it may have no processes
is_exact_to_the_byte() {
	has_run memstress run --kind kmalloc --object-size 96 --size 4M --max 16M --payer outside
}

runs_in_a_scope() {
	has_run systemd-run --scope --quiet memstress run --kind page --max 16M --until oom
}

# complete_words WORD...: what bash would offer for the last of these
complete_words() {
	COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
	_memstress "$1" "${*: -1}" && printf '%s\n' "${COMPREPLY[@]}" | sort -u
}

# Loaded as bash-completion loads it. What is offered is what the tool takes.
completes() {
	local command option

	# shellcheck disable=SC1091 # the guest's
	. /usr/share/bash-completion/bash_completion
	_completion_loader memstress
	complete -p memstress >/dev/null || complain "no completion" || return
	is "$(complete_words memstress r)" run && is "$(complete_words memstress run --oom)" --oom-group &&
		is "$(complete_words memstress help "do")" doctor || return
	for command in $(complete_words memstress ""); do
		[[ $command != --* ]] || continue
		run memstress help "$command"
		expect 0 || return
		for option in $(complete_words memstress "$command" --); do
			grep -q -e "^  $option\>" "$tmp/out" || [[ $option == --help ]] ||
				complain "$command $option" || return
		done
	done
	is "$(complete_words memstress run -- | wc -l)" \
		"$(($(memstress help run | grep -c '^  --') + 1))"
}

refuses_without_root() {
	local target

	for target in install uninstall; do
		run setpriv --reuid=65534 --regid=65534 --clear-groups make $target
		((status)) && said '^memstress: only root' &&
			is "$(grep -c '^memstress: ' "$tmp/out")" 1 || return
	done
}

# What make install has put anywhere, for any kernel. dkms_install.sh looks at every file there is,
# which would take minutes here.
find_files() {
	find /etc /lib/modules /usr/lib/udev /usr/local /var/lib/dkms -name '*memstress*' \
		! -name 'memstress-vm*'
	find /usr/src -maxdepth 1 -name 'memstress*'
	grep -l memstress /lib/modules/*/modules.*
}

stays_while_in_use() {
	find_files | sort >"$tmp/before"
	exec 3<$device
	run make uninstall
	exec 3<&-
	((status)) && said 'memstress: the module is in use' || return
	find_files | sort | cmp "$tmp/before" - && loads
}

uninstalls() {
	[[ -n $(find_files) ]] || complain "nothing is installed" || return
	run make uninstall
	expect 0 && is "$(find_files)" "" || return
	[[ ! -e /sys/module/memstress && ! -e $device ]] || complain "it is still loaded" || return
	is "$(find /sys/kernel/slab -name 'memstress*')" "" || return
	run modprobe memstress
	((status)) || complain "it can still be loaded"
}

run_cases systemd_is_well is_not_loaded_at_boot loads taints_as_it_should is_roots_by_our_rule \
	can_be_given_to_a_group doctor_is_content runs_out_of_memory is_exact_to_the_byte \
	runs_in_a_scope completes refuses_without_root \
	stays_while_in_use uninstalls
