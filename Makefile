# SPDX-License-Identifier: GPL-2.0
#
# What people type; the kernel's build reads Kbuild instead of this file. Progress goes to stderr,
# stdout is for answers.

.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

KERNEL ?= debian:6.1
KSELFTEST ?= $(shell selftests/vm/source.sh)
export KERNEL KDIR

PREFIX ?= /usr/local
UDEVRULESDIR ?= /usr/lib/udev/rules.d
export PREFIX DESTDIR

# What DKMS needs, and where it looks for it.
VERSION := $(shell sed -n 's/^PACKAGE_VERSION="\(.*\)"/\1/p' dkms.conf)
MODULE_FILES := $(wildcard dkms.conf Kbuild COPYING LICENSES/* kmod/*.[ch] kmod/*/*.[ch] kmod/*/*/*.h)
MODULE_SOURCE = $(DESTDIR)/usr/src/memstress-$(VERSION)

V ?= 0
export V
Q := $(if $(filter 1,$(V)),,@)
quiet = $(if $(Q),-s)
say = $(if $(Q),@printf '  %-7s %s\n' $(1) $(2) >&2)

# Groups of selftests/vm/packages. PACKAGES= on the command line says: installed by other means.
PACKAGES := build source
demo shell: PACKAGES := build vm
MINUTES ?= 60
test test-debug test-all features mutants soak: PACKAGES := build vm source
test-kselftest: PACKAGES := build vm source kselftest
check: PACKAGES := build source check
test-dkms labs-refresh lab lab-test: PACKAGES := vm
install: PACKAGES := $(if $(DESTDIR),,build install)

all: module tool tests

packages:
	$(Q)$(if $(PACKAGES),selftests/vm/packages.sh $(PACKAGES))

test-debug: KERNEL := debug:7.3

# Before the module: fetching the image may have to move the headers on.
kernel: packages
	$(Q)selftests/vm/kernel.sh vmlinuz "$(KERNEL)" >/dev/null

module: packages
	$(call say,MODULE,memstress.ko)
	+$(Q)selftests/vm/module.sh $(quiet) modules >&2

tool: packages
	$(Q)$(MAKE) $(quiet) -C user >&2

tests: packages
	$(Q)$(MAKE) $(quiet) -C selftests KSELFTEST="$(abspath $(KSELFTEST))" >&2

# Prints what the tool says in the guest and nothing else.
demo: kernel module tool
	$(Q)selftests/vm/run.sh run memstress run --kind page --max 64M --until oom

test test-debug: kernel module tool tests
	$(Q)selftests/report.sh $(TESTS)

test-all: packages
	$(Q)selftests/matrix.sh $(TESTS)

soak: kernel module tool tests
	$(Q)SOAK="$(MINUTES)" selftests/report.sh $(TESTS)

# Asks all kernels again what the table of the README tells of them.
features: packages
	$(Q)selftests/features.sh

# What the tests are worth: how many faults of a kernel they find.
mutants: packages
	$(Q)selftests/mutants.sh $(MUTANTS)

# As a part of a kernel tree, by the makefiles of that.
test-kselftest: kernel module tool
	$(Q)KSELFTEST="$(abspath $(KSELFTEST))" selftests/kselftest.sh

test-dkms: packages
	$(Q)selftests/vm/dkms.sh $(SUITES)

# A whole Debian, with container engines.
lab: packages
	$(Q)selftests/vm/stories.sh shell

lab-test: packages
	$(Q)selftests/vm/stories.sh test $(STORIES)

# What was fetched is used until somebody asks for newer.
labs-refresh: packages
	$(Q)for suite in $(or $(SUITES),$(shell awk '!/^\#/ { print $$1 }' selftests/vm/labs)); do \
		selftests/vm/root.sh refresh-lab $$suite >/dev/null || exit; done
	$(Q)selftests/vm/stories.sh refresh

kernel-refresh: packages
	$(Q)selftests/vm/kernel.sh refresh "$(KERNEL)"

shell: kernel module tool
	$(Q)selftests/vm/run.sh shell

check: packages
	$(Q)KDIR="$(abspath $(or $(KDIR),$(shell selftests/vm/kernel.sh headers)))" \
		KSELFTEST="$(abspath $(KSELFTEST))" selftests/check.sh

# Into the running system; with DESTDIR, files are placed there and nothing else is done.
install: $(if $(DESTDIR),,root) tool
	$(Q)$(if $(DESTDIR),,packaging/dkms.sh check)
	$(Q)$(if $(DESTDIR),,packaging/dkms.sh uninstall)
	$(call say,INSTALL,$(MODULE_SOURCE))
	$(Q)for file in $(MODULE_FILES); do \
		install -D -m 644 "$$file" "$(MODULE_SOURCE)/$$file" || exit; done
	$(Q)install -D -m 644 -t "$(DESTDIR)$(UDEVRULESDIR)" packaging/60-memstress.rules
	$(Q)$(MAKE) -s -C user install
	$(Q)$(if $(DESTDIR),,packaging/dkms.sh install $(VERSION))

# The running system keeps all of it if the module cannot be unloaded.
uninstall: $(if $(DESTDIR),,root)
	$(Q)$(if $(DESTDIR),,packaging/dkms.sh unload)
	$(Q)$(if $(DESTDIR),,packaging/dkms.sh uninstall)
	$(Q)$(MAKE) -s -C user uninstall
	$(Q)rm -f "$(DESTDIR)$(UDEVRULESDIR)/60-memstress.rules"
	$(Q)rm -rf "$(MODULE_SOURCE)"
	$(Q)rmdir "$(DESTDIR)$(UDEVRULESDIR)" "$(DESTDIR)$(dir $(UDEVRULESDIR))" 2>/dev/null || true

root:
	$(Q)packaging/dkms.sh root

clean:
	+$(Q)selftests/vm/module.sh -s clean
	$(Q)$(MAKE) -s -C user clean
	$(Q)$(MAKE) -s -C selftests KSELFTEST= clean
	$(Q)rm -rf build

help:
	@echo 'make          build the module, the tool and the selftests'
	@echo 'make demo     boot a VM, let a cgroup run out of memory, show what the tool saw'
	@echo 'make test     all tests: those of the host, then the selftests in the VM'
	@echo 'make test-all the same, or what is quick, on each kernel of selftests/vm/kernels in the'
	@echo '              guests that stand there'
	@echo 'make test-debug  the same on a kernel with KASAN, lockdep and the like'
	@echo 'make test-kselftest  the suite as a part of a kernel tree, in its folder and installed'
	@echo 'make soak     all tests, longer and in random order, for MINUTES=$(MINUTES); SEED=N again'
	@echo 'make kernel   fetch KERNEL, or build it, so that nothing of it is left to do'
	@echo 'make shell    be root in the VM, with the module loaded'
	@echo 'make check    static analysis and style'
	@echo 'make features ask every kernel what can be done on it, for the table of the README'
	@echo 'make mutants  put faults into a kernel, one at a time, and see which tests notice'
	@echo 'make install  the module by DKMS, for all kernels with headers; the tool; needs root'
	@echo 'make uninstall  remove it again'
	@echo 'make test-dkms  install, boot and uninstall in roots of three Debian releases'
	@echo 'make lab      be root in a VM with a whole Debian: systemd, docker, podman, and memstress'
	@echo 'make lab-test the stories of selftests/stories there, as a user would type them'
	@echo 'make labs-refresh  make these roots anew'
	@echo 'make kernel-refresh  fetch the newest build of KERNEL'
	@echo 'make clean    remove what was built; what was fetched stays in its cache'
	@echo
	@echo 'TESTS="test_abi unit"  only these tests (unit: those of the host)'
	@echo 'CASE=NAME              only this case of one test, as the results name it'
	@echo 'SEED=N                 what a test chose at random, once more'
	@echo 'DEPTH=3                how deep the cgroup is that pays, where a test has a choice'
	@echo 'STOP=1                 end with the first failure'
	@echo 'QUICK=1                only tests that are quick, and with test-all few guests'
	@echo 'MUTANTS="atomic_is_refused"  only these, of selftests/mutants'
	@echo 'COMPARE=1              with make mutants: what the own tests of the kernel find, too'
	@echo 'SUITES="bookworm"      only these releases, of make test-dkms and labs-refresh'
	@echo 'STORIES="docker"       only these, of make lab-test'
	@echo 'PREFIX=$(PREFIX)     where make install puts the tool'
	@echo 'UDEVRULESDIR=$(UDEVRULESDIR)  and the rule for the device'
	@echo 'DESTDIR=DIR            make install places its files below DIR and runs nothing'
	@echo 'KERNEL=$(KERNEL)      the kernel of the VM, one of selftests/vm/kernels'
	@echo 'KERNEL=DIR/            the same, a kernel that you have built there (O=)'
	@echo 'GUEST=2cpu             the shape of the guest, one of selftests/vm/guests'
	@echo 'MEM=2G SMP=2 NODES=2 SWAP=zram CGROUP=v1'
	@echo '                       what it has instead of what stands there'
	@echo 'KDIR=DIR               build the module against this kernel build folder'
	@echo 'KSELFTEST=TREE         take kselftest headers from this kernel source tree'
	@echo 'PACKAGES=              do not install packages'
	@echo 'V=1                    show the commands'

.PHONY: all packages kernel kernel-refresh features module tool tests demo test test-debug test-all shell check clean help
.PHONY: install uninstall root test-dkms lab lab-test labs-refresh mutants test-kselftest soak
