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
PKG_CONFIG ?= pkg-config
# The compiler whose programs run on this machine, and the architecture (as libseccomp names it) the filters are for.
BUILD_CC   ?= $(CC)
FILTER_ARCH ?= native
# Empty for a release: a compiler that is newer than it may warn of more.
WERROR     ?= -Werror
# SANITIZE=1: everything under AddressSanitizer and UndefinedBehaviorSanitizer. STATIC=1: a static-pie helper.
SANITIZE   ?=
STATIC     ?=
# Whether the helper loads libnl-3 and libcap-ng (1) or has them in it (0). Empty: in it, where archives for that are
# installed, so that of shared libraries a setuid process loads the C library alone.
SHARED_LIBS ?=
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
PATHS = -ffile-prefix-map=$(abspath $(BUILD))=build -ffile-prefix-map=$(CURDIR)=.
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
ifeq ($(filter check demo bench lint fuzz clean uninstall install-compat uninstall-compat dist deb rpm recipes,$(MAKECMDGOALS)),)
  missing := $(strip $(foreach module,libnl-3.0 libnftables jansson,\
	$(if $(shell $(PKG_CONFIG) --exists $(module) && echo yes),,$(module))))
  ifneq ($(missing),)
    $(error pkg-config does not find $(missing); install what README names, or run tests/install-packages build)
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
FILES_SRC  := $(wildcard files/*.c)
LINK_SRC   := $(wildcard link/*.c)
HELPER_SRC := $(filter-out helper/filters.c,$(wildcard helper/*.c))
CLI_SRC    := $(wildcard cli/*.c cli/*/*.c)
UNIT_SRC   := $(wildcard tests/unit/*.c)
NETNS_SRC  := $(wildcard tests/netns/test_*.c)
ATTACKS_SRC := $(wildcard tests/attacks/test_*.c)
HARNESS_SRC := $(filter-out $(NETNS_SRC),$(wildcard tests/netns/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$(sort $1))

HELPER     := $(BUILD)/tapgate-helper
LEASE      := $(BUILD)/tapgate-lease
CLI        := $(BUILD)/tapgate
CLI_HELPER := $(BUILD)/cli/run/helper.o
# `tapgate run` finds the helper beside its own directory, in ../libexec. For another place it is built apart, so that
# an installation there leaves what was built as it is.
ifneq ($(BINDIR):$(LIBEXECDIR),$(PREFIX)/bin:$(PREFIX)/libexec)
  CLI        := $(BUILD)/for$(LIBEXECDIR)/tapgate
  CLI_HELPER := $(BUILD)/for$(LIBEXECDIR)/launch_helper.o
endif
SHARED     := $(call objects,$(POLICY_SRC) $(FILES_SRC) $(LINK_SRC))
# The parts that tests link on their own.
PARTS      := $(SHARED) $(call objects,$(filter-out helper/main.c helper/environment.c,$(HELPER_SRC)) \
	$(filter-out cli/main.c,$(CLI_SRC)))
# For tests/netns/test_constructors.c: the helper as it can be linked, and each "obedient": without the part that empties
# the environment ahead of constructors, to show what that is for; and "late": where the C library has no .preinit_array.
LINKED     := $(addprefix $(BUILD)/tests/helpers/,built-obedient \
	$(foreach way,inside shared static,$(way)-whole $(way)-late $(way)-obedient))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
NETNS      := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(NETNS_SRC))
ATTACKS    := $(patsubst tests/attacks/%.c,$(BUILD)/tests/attacks/%,$(ATTACKS_SRC))
FUZZ       := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
TOOLS      := $(patsubst %.c,$(BUILD)/%,\
	$(wildcard $(addsuffix /*.c,$(addprefix tests/,common bench cli differential faults guest)))) $(BUILD)/tests/attacks/ask

V ?= 0
ifneq ($(V),1)
  .SILENT:
  say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo '  $1')
endif

.PHONY: all tests sanitized print-flags install uninstall install-compat uninstall-compat check demo bench lint fuzz \
	clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(HELPER) $(CLI) $(LEASE)
tests: all $(UNIT) $(NETNS) $(ATTACKS) $(TOOLS) $(LINKED) $(BUILD)/tests/helpers/tell.so
sanitized: $(UNIT) $(FUZZ)

# For tests/lint: what the compiler is told.
print-flags:
	@echo $(filter-out -Werror -frecord-gcc-switches,$(ALL_CFLAGS))

# Of what they share, the linker keeps only what each uses (--gc-sections).
$(HELPER): $(SHARED) $(call objects,$(HELPER_SRC))
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
	objcopy --rename-section .preinit_array=.unknown_array $< $@
$(filter %-obedient,$(LINKED)): | $(BUILD)/tests/helpers/late.o
$(BUILD)/tests/helpers/tell.so: tests/netns/constructors/tell.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(CC) $(filter-out -fPIE,$(ALL_CFLAGS)) -fPIC -shared -o $@ $<
$(CLI): $(SHARED) $(call objects,$(filter-out cli/run/helper.c,$(CLI_SRC))) $(CLI_HELPER)
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(subst -static-pie,-pie,$(HARDENING_LINK)) $(LDFLAGS) -o $@ $^ $(CLI_LIBS)

$(LEASE): $(SHARED) $(call objects,lease/main.c cli/networks/names.c cli/networks/dnsmasq_words.c)
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(subst -static-pie,-pie,$(HARDENING_LINK)) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

$(BUILD)/for$(LIBEXECDIR)/launch_helper.o: cli/run/helper.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(CC) $(ALL_CFLAGS) -DHELPER_PLACE='"$(LIBEXECDIR)"' -MMD -MP -c -o $@ $<

# The seccomp filters are compiled by libseccomp on the build machine; the helper carries only the result.
$(BUILD)/filters: helper/filters.c $(BUILD)/flags
	$(BUILD_CC) -std=c11 -D_GNU_SOURCE -I. $(NL_CFLAGS) -O1 -Wall -Wextra -Werror -MMD -MP -o $@ $< -lseccomp
$(BUILD)/filters.h: $(BUILD)/filters
	$< $(FILTER_ARCH) >$@
$(BUILD)/helper/sandbox.o: $(BUILD)/filters.h

# The guards' templates, etc/guard/MODE.nft, are part of the program: as C strings, a line each.
GUARD_MODES := nat host-only internal standalone dhcp lock-ip
$(BUILD)/guards.h: $(GUARD_MODES:%=etc/guard/%.nft) Makefile
	@mkdir -p $(@D)
	for mode in $(GUARD_MODES); do \
		echo "static const char $$(echo $$mode | tr - _)_guard[] ="; \
		sed -e '/^#/d' -e 's/[\\"]/\\&/g' -e 's/.*/\t"&\\n"/' etc/guard/$$mode.nft; \
		echo ';'; \
	done >$@
$(BUILD)/cli/networks/guard_text.o: $(BUILD)/guards.h

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
	@echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(FILTER_ARCH) $(SHARED_LIBS)' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(FILTER_ARCH) $(SHARED_LIBS)' >$@

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
	man/tapgate.conf.5:644:$(MANDIR)/man5/tapgate.conf.5 \
	etc/systemd/tapgate.service:644:$(UNITDIR)/tapgate.service \
	etc/systemd/tapgate-firewalld.service:644:$(UNITDIR)/tapgate-firewalld.service \
	etc/systemd/tapgate-restore:755:$(LIBEXECDIR)/tapgate-restore \
	$(foreach unit,nftables firewalld docker,\
		etc/systemd/$(unit).service.d/tapgate.conf:644:$(UNITDIR)/$(unit).service.d/tapgate.conf) \
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
MODE := $(if $(WRAPPER),755,4755)
place = $(lastword $(subst :, ,$1))
PLACES := $(foreach text,$(TEXTS),$(DESTDIR)$(call place,$(text)))

install: all
	install -d $(DESTDIR)$(BINDIR) $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SYSCONFDIR) $(sort $(dir $(PLACES)))
	install -m $(MODE) $(HELPER) $(DESTDIR)$(LIBEXECDIR)/tapgate-helper
	@echo 'installed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper, mode $(MODE)'
	install -m 755 $(LEASE) $(DESTDIR)$(LIBEXECDIR)/tapgate-lease
	install -m 755 $(CLI) $(DESTDIR)$(BINDIR)/tapgate
	@echo 'installed $(DESTDIR)$(BINDIR)/tapgate'
	if test -e $(DESTDIR)$(SYSCONFDIR)/tapgate.conf; then \
		echo 'kept $(DESTDIR)$(SYSCONFDIR)/tapgate.conf'; \
	else \
		install -m 644 etc/tapgate.conf $(DESTDIR)$(SYSCONFDIR)/tapgate.conf && \
		echo 'installed $(DESTDIR)$(SYSCONFDIR)/tapgate.conf, which allows nothing yet'; \
	fi
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
endif

# The policy stays: it is the administrator's. What `tapgate up` made stays, too.
uninstall:
	test -e $(DESTDIR)$(LIBEXECDIR)/tapgate-helper || { \
		echo "uninstall: no $(DESTDIR)$(LIBEXECDIR)/tapgate-helper; give the variables of the installation, as PREFIX" >&2; \
		exit 1; }
	rm -f $(DESTDIR)$(LIBEXECDIR)/tapgate-helper $(DESTDIR)$(LIBEXECDIR)/tapgate-lease $(DESTDIR)$(BINDIR)/tapgate \
		$(PLACES)
	rmdir $(filter %.service.d/,$(sort $(dir $(PLACES)))) 2>/dev/null || true
	@echo 'removed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper, $(DESTDIR)$(BINDIR)/tapgate and what belongs to them'
	@test ! -e $(DESTDIR)$(SYSCONFDIR)/tapgate.conf || echo 'kept $(DESTDIR)$(SYSCONFDIR)/tapgate.conf'

# The installed helper in the place of qemu-bridge-helper: COMPAT, or where the distribution has it.
install-compat uninstall-compat:
	DESTDIR='$(DESTDIR)' etc/compat $(@:-compat=) $(LIBEXECDIR)/tapgate-helper $(COMPAT)

include packaging/packages.mk

# --- tests and tools: each installs what it needs ------------------------------------------------------------------

check:
	tests/install-packages check
	tests/check $(if $(filter 1,$(SANITIZE)),sanitize)

demo:
	tests/install-packages demo
	tests/demo

bench:
	tests/install-packages bench
	$(MAKE) tests
	tests/bench/bench

lint:
	tests/install-packages lint
	tests/lint

fuzz:
	tests/install-packages fuzz
	tests/fuzz/fuzz

clean:
	rm -rf build $(BUILD)
