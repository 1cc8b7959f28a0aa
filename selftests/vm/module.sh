#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# module.sh ARGUMENT...: run make on the module, for KERNEL (the first of the list unless set)
#
# For a kernel of this machine that is in place, and against KDIR if that is set. For others it is
# in a copy, each time from nothing: kbuild does not notice objects of another kernel.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
top=$(cd "$here/../.." && pwd)

# shellcheck disable=SC2086 # none, or one word
ask() {
	"$here/kernel.sh" "$1" ${KERNEL:-}
}

headers=$(ask headers)
root=$(ask root)
dir=$(dirname "$(ask module)")

# There is no vmlinux in the headers to take BTF from; kbuild would say so every time.
set -- "$@" CONFIG_DEBUG_INFO_BTF_MODULES=

if [[ $dir == "$top" ]]; then
	exec make -C "${KDIR:-$headers}" M="$dir" "$@"
fi
rm -rf "$dir"
mkdir -p "$dir"
(cd "$top" && find Kbuild kmod \( -name '*.[ch]' -o -name Kbuild \) -exec cp --parents -t "$dir" {} +)
if [[ $root ]]; then
	exec "$here/root.sh" run "$root" "$dir" make -C "$headers" M=/mnt "$@"
else
	exec make -C "$headers" M="$dir" "$@"
fi
