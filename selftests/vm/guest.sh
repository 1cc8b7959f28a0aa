#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
#
# guest.sh QUESTION: one guest of the list (the first unless GUEST names another)
#
#   names     of all guests of the list
#   machine   QEMU's options for its CPUs and memory
#   words     what init.sh is told, as words of the kernel's command line
#
# Environment: GUEST; MEM, its memory (2G), SMP, NODES, SWAP, CGROUP instead of what the list says.
set -euo pipefail
here=$(dirname "$0")
. "$here/apt.sh"

guests=$(grep -v '^#' "$here/guests")
guest=${GUEST:-$(awk 'NR == 1 { print $1 }' <<<"$guests")}
settings=$(awk -v guest="$guest" '$1 == guest { $1 = ""; print; found = 1 } END { exit !found }' <<<"$guests") ||
	die "there is no guest $guest, only $(awk '{ print $1 }' <<<"$guests" | xargs)"

# setting NAME DEFAULT: what the environment says, or else the list
setting() {
	local word

	for word in "$1=$2" $settings "$1=${!1:-}"; do
		[[ $word != "$1="?* ]] || echo "${word#*=}"
	done | tail -n 1
}

memory_mib() {
	local mem

	mem=$(setting MEM 2G)
	case $mem in
	[1-9]*G)	echo $((${mem%G} * 1024)) ;;
	[1-9]*M)	echo "${mem%M}" ;;
	*)		die "MEM=$mem is no size; write it as 2G or 512M" ;;
	esac
}

# machine_nodes COUNT CPUS MIB: each node has a share of both; a node may have no CPU
machine_nodes() {
	local node cpu

	for ((node = 0; node < $1; node++)); do
		echo "-object memory-backend-ram,id=ram$node,size=$(($3 / $1))M"
		echo "-numa node,nodeid=$node,memdev=ram$node"
	done
	for ((cpu = 0; cpu < $2; cpu++)); do
		echo "-numa cpu,node-id=$((cpu * $1 / $2)),socket-id=$cpu,core-id=0,thread-id=0"
	done
}

machine() {
	local smp nodes mib cpus

	smp=$(setting SMP 2)
	nodes=$(setting NODES 1)
	mib=$(memory_mib)
	cpus=${smp##*maxcpus=}
	[[ $cpus =~ ^[1-9][0-9]*$ ]] || die "SMP=$smp is not N or N,maxcpus=M"
	[[ $nodes =~ ^[1-9]$ ]] || die "NODES=$nodes is not a number from 1 to 9"
	# Each CPU is a socket, whatever QEMU's version prefers: so they are named above.
	echo "-m $((mib / nodes * nodes))M -smp $smp,sockets=$cpus,cores=1,threads=1"
	((nodes == 1)) || machine_nodes "$nodes" "$cpus" "$mib"
}

words() {
	local swap cgroup

	swap=$(setting SWAP none)
	[[ $swap == none || $swap == zram ]] || die "SWAP=$swap is not none or zram"
	[[ $swap == none ]] || echo "SWAP=$swap"
	cgroup=$(setting CGROUP v2)
	[[ $cgroup =~ ^(v1|v2|hybrid)$ ]] || die "CGROUP=$cgroup is none of v2, v1, hybrid"
	echo "CGROUP=$cgroup"
}

case ${1:?names, machine or words} in
names)
	awk '{ print $1 }' <<<"$guests"
	;;
machine)
	machine | xargs
	;;
words)
	words | xargs
	;;
*)
	die "guest.sh: what is '$1'?"
	;;
esac
