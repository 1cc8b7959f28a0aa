# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0
#
# A container called eater, for stories that source this and set $engine: docker or podman. Its image
# is made of busybox and eat.c, so that there is no registry to ask.
#
# shellcheck disable=SC2034,SC2154
. "$(dirname "${BASH_SOURCE[0]}")/story.sh"

image=localhost/eater
subject=$engine:eater	# as memstress calls it

versions_are_known() {
	types "systemctl --version | head -n 1"
	types "$engine --version"
	expect 0
	types "runc --version | head -n 1"
	types "uname -r; stat -f -c %T /sys/fs/cgroup"
}

# Of two programs, both static
image_is_imported() {
	local root=/tmp/eater applet

	mkdir -p $root/bin && cp /bin/busybox /usr/local/bin/eat $root/bin/ || return
	for applet in sh sleep killall; do
		ln -sf busybox $root/bin/$applet
	done
	types "tar -C $root -c . | $engine import - $image"
	expect 0 && rm -r $root
}

# inspect FIELD: of the container
inspect() {
	"$engine" inspect --format "{{$1}}" eater
}

# begin OPTION...: a container that does nothing
begin() {
	# What a case before has left when it failed
	"$engine" rm -f eater >/dev/null 2>&1
	types "$engine run -d --name eater --network none --stop-signal KILL $* $image sleep 100000"
	expect 0
}

end() {
	types "$engine rm -f eater"
	expect 0
}

# eats MIB: something in the container, and stays
eats() {
	stays "$engine exec eater eat $1 stay"
	is "$line" "ate $1 MiB"
}

# oom_killed: the kernel's log tells of somebody in the container, whatever the engine says
oom_killed() {
	dmesg | grep -q "oom-kill:.*oom_memcg=[^,]*$(inspect .Id)"
}

# Why an OOM kill may not be told of
excuse() {
	case $engine in
	docker)	echo "containerd has lost the event, https://github.com/containerd/containerd/issues/8893" ;;
	podman)	echo "before podman 5: https://github.com/containers/podman/issues/13102" ;;
	esac
}

# ended_by EXIT_CODE OOM_KILLED: the container, as the engine tells it
ended_by() {
	local told

	types "$engine inspect --format '{{.State.ExitCode}} {{.State.OOMKilled}}' eater"
	told=$(cat "$tmp/out")
	[[ $told != "$1 $2" ]] || return 0
	[[ $told == "$1 false" ]] || complain "expected $1 $2" || return
	# shellcheck disable=SC2034 # run_cases'
	xfail=$(excuse)
}

nothing_is_left() {
	is "$("$engine" ps -aq)" "" || return
	is "$(find /sys/fs/cgroup -regextype posix-extended -regex '.*[0-9a-f]{64}.*')" ""
}

