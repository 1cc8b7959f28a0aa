#!/bin/sh
# SPDX-License-Identifier: GPL-2.0
#
# PID 1 of a lab machine until its root is there: that is a folder of the host, which can only be
# read, and over it a tmpfs, which takes what is written.
export PATH=/bin

mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do
	insmod "$module"
done

mkdir /lower /over /root
mount -t 9p -o trans=virtio,version=9p2000.L,msize=262144,ro,cache=loose root9 /lower
mount -t tmpfs tmpfs /over
mkdir /over/upper /over/work
mount -t overlay -o lowerdir=/lower,upperdir=/over/upper,workdir=/over/work overlay /root
umount /dev /sys /proc
exec switch_root /root /sbin/init
