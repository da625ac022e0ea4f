# SPDX-License-Identifier: MIT
# tapgate: `make` builds, `make install` and `make uninstall` do as they say. `make check` tests, `make demo` shows, `make
# bench` measures, `make lint` and `make fuzz` look for mistakes, `make clean` removes what was built. V=1 shows commands
# whole; `make dist` packs the sources, and packaging/packages.mk has what makes packages of them. The variables below
# may be set by the caller.

VERSION    := $(file <VERSION)
PREFIX     ?= /usr/local
BINDIR     ?= $(PREFIX)/bin
LIBEXECDIR ?= $(PREFIX)/libexec
MANDIR     ?= $(PREFIX)/share/man
SYSCONFDIR ?= /etc
DESTDIR    ?=
BUILD      ?= build
CFLAGS     ?= -O2 -g
# What CC compiles for, as "aarch64-linux-gnu", and the pkg-config that knows its libraries.
MACHINE    := $(shell $(CC) -dumpmachine)
LIBDIR_OF_MACHINE := $(if $(filter-out $(shell cc -dumpmachine 2>/dev/null),$(MACHINE)),$(wildcard /usr/lib/$(MACHINE)/pkgconfig))
PKG_CONFIG ?= $(or $(notdir $(shell command -v $(MACHINE)-pkg-config 2>/dev/null)),$(if \
	$(LIBDIR_OF_MACHINE),PKG_CONFIG_LIBDIR=$(LIBDIR_OF_MACHINE) )pkg-config)
# Empty for a release: a compiler that is newer than it may warn of more.
WERROR     ?= -Werror
# SANITIZE=1: everything under AddressSanitizer and UndefinedBehaviorSanitizer. STATIC=1: a static-pie helper.
SANITIZE   ?=
STATIC     ?=
# Whether the helper loads libnl-3 and libcap-ng (1) or has them in it (0). Empty: in it, where archives for that are
# installed, so that of shared libraries a setuid process loads the C library alone.
SHARED_LIBS ?=
# SETUID=no: the helper is installed without its setuid bit; tapgate-helper.socket then does all of its work.
SETUID     ?= yes
# Where the helper is called, if not where it is installed: a wrapper that something makes of it, as NixOS's
# security.wrappers. It is installed without the setuid bit then, as a file system that nobody writes has none.
WRAPPER    ?=

# --- flags: the first that the compiler knows of each set ---------------------------------------------------------

# $(call first,FLAG...): the first that the compiler takes without a warning. ',' in a FLAG stands for a blank, as clang
# needs a second word to go with one of them.
first = $(firstword $(foreach flag,$1,$(shell $(CC) -Werror $(subst $(comma), ,$(flag)) -c -x c /dev/null \
	-o /dev/null 2>/dev/null && echo '$(flag)')))
comma := ,

# No path of this machine goes into what is built, so that the same source gives the same bytes wherever it lies. Not
# -frecord-gcc-switches where that notes these paths: clang's does.
PATHS = '-ffile-prefix-map=$(abspath $(BUILD))=build' '-ffile-prefix-map=$(CURDIR)=.'
notes_paths = $(shell $(CC) $1 -frecord-gcc-switches -S -x c /dev/null -o - 2>/dev/null | grep -F '$(CURDIR)')

WARNINGS := -Wall -Wextra $(WERROR) -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wformat=2 -Wundef -Wcast-align -Wcast-qual -Wpointer-arith -Wwrite-strings -Wvla -Wswitch-enum -Wnull-dereference
HARDENING := -fPIE -fstack-protector-strong -fno-strict-overflow \
	$(call first,-fstack-clash-protection) \
	$(call first,-fcf-protection=full -mbranch-protection=standard) \
	$(subst $(comma), ,$(call first,-ftrivial-auto-var-init=zero \
		-ftrivial-auto-var-init=zero$(comma)-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)) \
	$(if $(call notes_paths,$(PATHS)),,$(call first,-frecord-gcc-switches)) -ffunction-sections -fdata-sections
HARDENING_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed,--gc-sections
ifeq ($(SANITIZE),1)
  BUILD     := $(BUILD)/sanitize
  HARDENING += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
  # Behind CPPFLAGS, where distributions have one of their own.
  FORTIFY   := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifeq ($(STATIC),1)
  BUILD          := $(BUILD)/static
  HARDENING_LINK := $(subst -pie,-static-pie,$(HARDENING_LINK))
endif

NL_CFLAGS := $(shell $(PKG_CONFIG) --cflags libnl-3.0 2>/dev/null | sed 's/-I/-isystem /g')
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD) $(NL_CFLAGS) $(WARNINGS) $(HARDENING) $(PATHS) $(CFLAGS) $(CPPFLAGS) $(FORTIFY) \
	-DSYSCONFDIR='"$(SYSCONFDIR)"' -DVERSION='"$(VERSION)"' \
	$(if $(WRAPPER),-DHELPER_WRAPPER='"$(WRAPPER)"')
ifeq ($(filter check demo bench lint fuzz mutate fabrics clean uninstall install-compat uninstall-compat dist deb rpm recipes,$(MAKECMDGOALS)),)
  # The helper alone has no need of what only the tool links.
  TOOL_MODULES := $(if $(filter-out helper print-flags %/tapgate-helper %.o,$(or $(MAKECMDGOALS),all)),libnftables jansson)
  missing := $(strip $(foreach module,libnl-3.0 libcap-ng $(TOOL_MODULES),\
	$(if $(shell $(PKG_CONFIG) --exists $(module) && echo yes),,$(module))))
  ifneq ($(missing),)
    $(error pkg-config does not find $(missing); install what docs/packaging.md names, or run tests/run/install-packages build)
  endif
endif
LIBS        := $(shell $(PKG_CONFIG) --libs libnl-3.0 2>/dev/null) -lcap-ng
LIBS_INSIDE := -Wl,-Bstatic $(LIBS) -Wl,-Bdynamic
# Whether archives are there, of code that can be part of a position-independent program, is seen by linking one.
can_link = $(shell printf '%s' 'int nl_socket_alloc(void), capng_apply(int); int main(void)' \
	'{ return nl_socket_alloc() + capng_apply(0); }' | $(CC) -fPIE $(HARDENING_LINK) -Wl,--fatal-warnings $(LDFLAGS) \
	-x c - -o /dev/null -x none $1 2>/dev/null && echo yes)
# Of the helper; what else is linked has them shared.
HELPER_LIBS = $(if $(filter 1,$(STATIC) $(SANITIZE) $(SHARED_LIBS)),$(LIBS),$(if $(filter 0,$(SHARED_LIBS))$(call \
	can_link,$(LIBS_INSIDE)),$(LIBS_INSIDE),$(LIBS)))
CLI_MODULES := libnl-3.0 libnftables jansson
CLI_LIBS    := $(shell $(PKG_CONFIG) --libs $(CLI_MODULES) 2>/dev/null)

# --- what is built from what ---------------------------------------------------------------------------------------

POLICY_SRC := $(wildcard policy/*.c)
JUDGE_SRC  := $(wildcard judge/*.c)
LINK_SRC   := $(wildcard link/*.c)
HELPER_SRC := $(wildcard helper/*.c)
LISTEN_SRC := $(wildcard listen/*.c)
TOOL_SRC   := $(filter-out dhcp/keeper.c dhcp/lease.c dhcp/serve.c,$(wildcard tool/*.c dhcp/*.c networks/*.c taps/*.c cli/*.c cli/*/*.c))
UNIT_SRC   := $(wildcard tests/unit/*.c)
NETNS_SRC  := $(wildcard tests/netns/test_*.c)
ATTACKS_SRC := $(wildcard tests/attacks/test_*.c)
HARNESS_SRC := $(filter-out $(NETNS_SRC) tests/netns/witness.c,$(wildcard tests/netns/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $1))

HELPER     := $(BUILD)/tapgate-helper
LISTENER   := $(BUILD)/tapgate-listen
KEEPER     := $(BUILD)/tapgate-dhcp
CLI        := $(BUILD)/tapgate
CLI_HELPER := $(BUILD)/tool/programs.o
# `tapgate run` finds the helper beside its own directory, in ../libexec. For another place it is built apart, so that
# an installation there leaves what was built as it is.
ifneq ($(BINDIR):$(LIBEXECDIR),$(PREFIX)/bin:$(PREFIX)/libexec)
  CLI        := $(BUILD)/for$(LIBEXECDIR)/tapgate
  CLI_HELPER := $(BUILD)/for$(LIBEXECDIR)/programs.o
endif
SHARED     := $(call objects,$(POLICY_SRC) $(JUDGE_SRC) $(LINK_SRC))
# The parts that tests link on their own.
PARTS      := $(SHARED) $(call objects,$(filter-out helper/main.c helper/environment.c,$(HELPER_SRC)) \
	$(filter-out cli/main.c,$(TOOL_SRC)))
# For tests/netns/test_constructors.c: the helper as it can be linked, and each "obedient": without the part that empties
# the environment ahead of constructors, to show what that is for; and "late": where the C library has no .preinit_array.
OBJCOPY    ?= $(shell $(CC) -print-prog-name=objcopy)
LINKED     := $(addprefix $(BUILD)/tests/helpers/,built-obedient \
	$(foreach way,inside shared static,$(way)-whole $(way)-late $(way)-obedient))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
NETNS      := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(NETNS_SRC) tests/netns/witness.c)
ATTACKS    := $(patsubst tests/attacks/%.c,$(BUILD)/tests/attacks/%,$(ATTACKS_SRC))
FUZZ       := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
TOOLS      := $(patsubst %.c,$(BUILD)/%,\
	$(wildcard $(addsuffix /*.c,$(addprefix tests/,common bench cli differential faults guest)))) $(BUILD)/tests/attacks/ask

V ?= 0
ifneq ($(V),1)
  .SILENT:
  say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo '  $1')
endif

.PHONY: all helper tests sanitized print-flags install uninstall install-compat uninstall-compat check demo bench lint fuzz \
	mutate fabrics clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(HELPER) $(LISTENER) $(CLI) $(KEEPER)
helper: $(HELPER)
tests: all $(UNIT) $(NETNS) $(ATTACKS) $(TOOLS) $(LINKED) $(BUILD)/tests/helpers/tell.so
sanitized: $(UNIT) $(FUZZ)

# For tests/run/lint: what the compiler is told.
print-flags:
	@echo $(filter-out -Werror -frecord-gcc-switches,$(ALL_CFLAGS))

# Of what they share, the linker keeps only what each uses (--gc-sections).
$(HELPER): $(SHARED) $(call objects,$(HELPER_SRC))
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)
$(LISTENER): $(SHARED) $(call objects,$(filter-out helper/main.c,$(HELPER_SRC)) $(LISTEN_SRC))
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)
# Without archives there are no programs of the ways that take them; and the linker warns of what a static one has.
linked_flags = $(if $(findstring static,$@),$(subst -pie,-static-pie,$(HARDENING_LINK)),$(HARDENING_LINK))
linked_libs  = $(if $(findstring inside,$@),$(LIBS_INSIDE),$(if $(findstring built,$@),$(HELPER_LIBS),$(LIBS)))
$(LINKED): $(SHARED) $(call objects,$(filter-out helper/environment.c,$(HELPER_SRC)))
	$(CC) $(ALL_CFLAGS) $(linked_flags) $(LDFLAGS) -o $@ $^ $(linked_libs) 2>$@.log || { \
		case $@ in *inside* | *static*) rm -f $@ ;; *) cat $@.log >&2; exit 1 ;; esac; }
$(filter %-whole,$(LINKED)): $(BUILD)/helper/environment.o
$(filter %-late,$(LINKED)): $(BUILD)/tests/helpers/late.o
$(BUILD)/tests/helpers/late.o: $(BUILD)/helper/environment.o
	@mkdir -p $(@D)
	$(OBJCOPY) --rename-section .preinit_array=.unknown_array $< $@
$(filter %-obedient,$(LINKED)): | $(BUILD)/tests/helpers/late.o
$(BUILD)/tests/helpers/tell.so: tests/netns/constructors/tell.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<
$(CLI): $(SHARED) $(call objects,$(filter-out tool/programs.c,$(TOOL_SRC))) $(CLI_HELPER)
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(subst -static-pie,-pie,$(HARDENING_LINK)) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

$(KEEPER): $(SHARED) $(call objects,dhcp/keeper.c dhcp/lease.c dhcp/serve.c dhcp/answer.c dhcp/leases.c dhcp/words.c tool/file.c)
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(subst -static-pie,-pie,$(HARDENING_LINK)) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/for$(LIBEXECDIR)/programs.o: tool/programs.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(CC) $(ALL_CFLAGS) -DHELPER_PLACE='"$(LIBEXECDIR)"' -MMD -MP -c -o $@ $<

# The seccomp filters, with the numbers of the architecture that CC compiles for. No program runs for it but awk.
$(BUILD)/filters.inc: helper/filters.def helper/filters.awk $(BUILD)/flags
	$(CC) $(ALL_CFLAGS) -E -P -x c helper/filters.def >$@.rows
	awk -f helper/filters.awk $@.rows >$@
$(BUILD)/helper/sandbox.o $(BUILD)/tests/unit/test_filters.o: $(BUILD)/filters.inc

# The guards' templates, etc/guard/MODE.nft, are part of the program: as C strings, a line each.
GUARD_MODES := nat routed host-only internal standalone alone sources dhcp boot forward absent lock-ip
$(BUILD)/guards.h: $(GUARD_MODES:%=etc/guard/%.nft) Makefile
	@mkdir -p $(@D)
	for mode in $(GUARD_MODES); do \
		echo "static const char $$(echo $$mode | tr - _)_guard[] ="; \
		sed -e '/^#/d' -e 's/[\\"]/\\&/g' -e 's/.*/\t"&\\n"/' etc/guard/$$mode.nft; \
		echo ';'; \
	done >$@
$(BUILD)/networks/guard_text.o: $(BUILD)/guards.h

# A fuzz target that reads its corpus, without a fuzzer.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS)
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS) -lcmocka
$(BUILD)/tests/netns/%: $(BUILD)/tests/netns/%.o $(call objects,$(HARNESS_SRC)) $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS) -lcmocka
$(BUILD)/tests/attacks/%: $(BUILD)/tests/attacks/%.o $(call objects,$(HARNESS_SRC) \
		$(filter-out $(ATTACKS_SRC) tests/attacks/ask%.c,$(wildcard tests/attacks/*.c))) $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(LIBS) $(CLI_LIBS) -lcmocka
# Programs that the test scripts run; they share nothing with the helper.
$(TOOLS): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^

$(BUILD)/tests/attacks/ask: $(BUILD)/tests/attacks/ask4.o $(BUILD)/tests/attacks/ask6.o

# Rebuild everything when the compiler or a flag changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(SHARED_LIBS)' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(SHARED_LIBS)' >$@

# Not what the tests of packages unpack there, which has directories named so.
-include $(shell find $(BUILD) -path '$(BUILD)/package' -prune -o -type f -name '*.d' -print 2>/dev/null)

# --- installation ------------------------------------------------------------------------------------------------

# May be set by the caller, too. UNITDIR and the two after it are read under /usr and /usr/local alike; NetworkManager
# reads /usr/lib and /etc. OPENRC=1 installs the script for OpenRC, APPARMOR=1 the helper's profile for AppArmor.
UNITDIR    ?= $(PREFIX)/lib/systemd/system
UDEVDIR    ?= $(PREFIX)/lib/udev/rules.d
NETWORKDIR ?= $(PREFIX)/lib/systemd/network
NMDIR      ?= $(if $(filter /usr,$(PREFIX)),/usr/lib,$(SYSCONFDIR))/NetworkManager/conf.d
OPENRC     ?=
# Where bash (bash-completion), zsh and fish look for what completes tapgate's words.
BASHCOMPLETIONDIR ?= $(PREFIX)/share/bash-completion/completions
ZSHCOMPLETIONDIR  ?= $(PREFIX)/share/zsh/site-functions
FISHCOMPLETIONDIR ?= $(PREFIX)/share/fish/vendor_completions.d
APPARMOR   ?=

# Text files: each as SOURCE:MODE:PLACE. In them stand @bindir@, @libexecdir@ and @sysconfdir@.
TEXTS := \
	man/tapgate.8:644:$(MANDIR)/man8/tapgate.8 \
	man/tapgate-helper.8:644:$(MANDIR)/man8/tapgate-helper.8 \
	man/tapgate-json.7:644:$(MANDIR)/man7/tapgate-json.7 \
	man/tapgate.conf.5:644:$(MANDIR)/man5/tapgate.conf.5 \
	etc/systemd/tapgate.service:644:$(UNITDIR)/tapgate.service \
	etc/systemd/tapgate-helper.socket:644:$(UNITDIR)/tapgate-helper.socket \
	etc/systemd/tapgate-helper.service:644:$(UNITDIR)/tapgate-helper.service \
	etc/systemd/tapgate-keep.service:644:$(UNITDIR)/tapgate-keep.service \
	etc/udev/70-tapgate.rules:644:$(UDEVDIR)/70-tapgate.rules \
	etc/networkd/00-tapgate.network:644:$(NETWORKDIR)/00-tapgate.network \
	etc/networkd/00-tapgate.link:644:$(NETWORKDIR)/00-tapgate.link \
	etc/NetworkManager/tapgate.conf:644:$(NMDIR)/tapgate.conf \
	etc/completions/tapgate.bash:644:$(BASHCOMPLETIONDIR)/tapgate \
	etc/completions/_tapgate:644:$(ZSHCOMPLETIONDIR)/_tapgate \
	etc/completions/tapgate.fish:644:$(FISHCOMPLETIONDIR)/tapgate.fish \
	$(if $(filter 1,$(OPENRC)),etc/openrc/tapgate:755:$(SYSCONFDIR)/init.d/tapgate) \
	$(if $(filter 1,$(APPARMOR)),etc/apparmor/tapgate-helper:644:$(SYSCONFDIR)/apparmor.d/tapgate-helper)
# What starts the service. systemd finds units by their names in these places only.
known_units = $(filter %/systemd/system,$(filter /usr/lib/% /lib/% /usr/local/lib/% /etc/%,$(UNITDIR)))
start = $(if $(filter 1,$(OPENRC)),rc-update add tapgate default && rc-service tapgate start,systemctl enable --now $(if \
	$(known_units),tapgate,$(UNITDIR)/tapgate.service))
MODE := $(if $(WRAPPER)$(filter no,$(SETUID)),755,4755)
place = $(lastword $(subst :, ,$1))
# What the sample policy includes. An administrator's own mode of it is kept, and so is what lies in it.
DROPINS = $(DESTDIR)$(SYSCONFDIR)/tapgate.d
PLACES := $(foreach text,$(TEXTS),$(DESTDIR)$(call place,$(text)))

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SYSCONFDIR) $(sort $(dir $(PLACES)))
	install -m $(MODE) $(HELPER) $(DESTDIR)$(LIBEXECDIR)/tapgate-helper
	@echo 'installed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper, mode $(MODE)'
	install -m 755 $(LISTENER) $(DESTDIR)$(LIBEXECDIR)/tapgate-listen
	install -m 755 $(KEEPER) $(DESTDIR)$(LIBEXECDIR)/tapgate-dhcp
	install -m 755 $(CLI) $(DESTDIR)$(BINDIR)/tapgate
	@echo 'installed $(DESTDIR)$(BINDIR)/tapgate'
	if test -e $(DESTDIR)$(SYSCONFDIR)/tapgate.conf; then \
		echo 'kept $(DESTDIR)$(SYSCONFDIR)/tapgate.conf'; \
	else \
		sed 's|/etc/tapgate.d|$(SYSCONFDIR)/tapgate.d|' etc/tapgate.conf >$(DESTDIR)$(SYSCONFDIR)/tapgate.conf && \
		chmod 644 $(DESTDIR)$(SYSCONFDIR)/tapgate.conf && \
		echo 'installed $(DESTDIR)$(SYSCONFDIR)/tapgate.conf, which allows nothing yet'; \
	fi
	test -d $(DROPINS) || install -d $(DROPINS)
	for text in $(TEXTS); do \
		from=$${text%%:*} to=$(DESTDIR)$${text##*:} mode=$${text#*:}; \
		rm -f $$to && \
		sed 's|@bindir@|$(BINDIR)|g; s|@libexecdir@|$(LIBEXECDIR)|g; s|@sysconfdir@|$(SYSCONFDIR)|g' $$from >$$to && \
		chmod $${mode%%:*} $$to || exit 1; \
	done
	@echo 'installed manuals, and files for $(if $(filter 1,$(OPENRC)),OpenRC$(comma) )systemd$(comma) udev$(comma) NetworkManager and shells'
ifeq ($(DESTDIR),)
	@echo 'next, in $(SYSCONFDIR)/tapgate.conf: who may use which networks; see tapgate.conf(5)'
	@echo 'then: $(BINDIR)/tapgate check'
	@echo 'then, to have its networks now and at each boot: $(start)'
	@test '$(SETUID)' != no || echo 'and, as the helper has no setuid bit: systemctl enable --now tapgate-helper.socket'
endif

# The policy stays: it is the administrator's. What `tapgate up` made stays, too.
uninstall:
	test -e $(DESTDIR)$(LIBEXECDIR)/tapgate-helper || { \
		echo "uninstall: no $(DESTDIR)$(LIBEXECDIR)/tapgate-helper; give the variables of the installation, as PREFIX" >&2; \
		exit 1; }
	rm -f $(addprefix $(DESTDIR)$(LIBEXECDIR)/,tapgate-helper tapgate-listen tapgate-dhcp) $(DESTDIR)$(BINDIR)/tapgate $(PLACES)
	@echo 'removed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper, $(DESTDIR)$(BINDIR)/tapgate and what belongs to them'
	rmdir $(DROPINS) 2>/dev/null || true
	@test ! -e $(DESTDIR)$(SYSCONFDIR)/tapgate.conf || echo 'kept $(DESTDIR)$(SYSCONFDIR)/tapgate.conf'

# The installed helper in the place of qemu-bridge-helper: COMPAT, or where the distribution has it.
install-compat uninstall-compat:
	DESTDIR='$(DESTDIR)' etc/compat $(@:-compat=) $(LIBEXECDIR)/tapgate-helper $(COMPAT)

include packaging/packages.mk

# --- tests and tools: each installs what it needs ------------------------------------------------------------------

# ARCH="arm64 s390x", KERNELS="5.10 6.12": the story of tests/guest/story alone, on those (tests/guest/platform.sh).
# CONFINED=selinux: the same under SELinux that enforces (tests/guest/selinux.sh).
ARCH     ?=
KERNELS  ?=
CONFINED ?=
check:
	tests/run/install-packages $(if $(ARCH)$(KERNELS)$(CONFINED),build guest $(ARCH) $(if $(CONFINED),package),check)
	ARCH='$(ARCH)' KERNELS='$(KERNELS)' CONFINED='$(CONFINED)' tests/run/check $(if $(filter 1,$(SANITIZE)),sanitize)

demo:
	tests/run/install-packages demo
	tests/run/demo

bench:
	tests/run/install-packages bench
	$(MAKE) tests
	tests/bench/bench
	tests/bench/scale
	tests/bench/packets
	tests/bench/vhost

# Guests on EVPN, Open vSwitch and OVN, with Debian's daemons. WORD: one of evpn, ovs and ovn.
fabrics:
	tests/run/install-packages build world guest package
	tests/system/fabrics $(WORD)

lint:
	tests/run/install-packages lint
	tests/run/lint

# Whether a test notices each mistake of tests/mutate/mutants; WORD=x: of those lines that have x. Takes an hour and more.
WORD ?=
mutate:
	tests/run/install-packages check
	tests/mutate/mutate '$(WORD)'

fuzz:
	tests/run/install-packages fuzz
	tests/fuzz/fuzz

clean:
	rm -rf build $(BUILD)
