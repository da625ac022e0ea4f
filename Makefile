# tapgate: `make` builds, `make install` and `make uninstall` do as they say. `make check` tests, `make demo` shows, `make
# bench` measures, `make lint` and `make fuzz` look for mistakes, `make clean` removes what was built. V=1 shows commands
# whole. The variables below may be set by the caller.

VERSION    := 0.1.0
PREFIX     ?= /usr/local
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
# SANITIZE=1: everything under AddressSanitizer and UndefinedBehaviorSanitizer. STATIC=1: a static-pie helper.
SANITIZE   ?=
STATIC     ?=

# --- flags: the first that the compiler knows of each set ---------------------------------------------------------

# $(call first,FLAG...): the first that the compiler takes without a warning. ',' in a FLAG stands for a blank, as clang
# needs a second word to go with one of them.
first = $(firstword $(foreach flag,$1,$(shell $(CC) -Werror $(subst $(comma), ,$(flag)) -c -x c /dev/null \
	-o /dev/null 2>/dev/null && echo '$(flag)')))
comma := ,

WARNINGS := -Wall -Wextra -Werror -Wconversion -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition \
	-Wformat=2 -Wundef -Wcast-align -Wcast-qual -Wpointer-arith -Wwrite-strings -Wvla -Wswitch-enum -Wnull-dereference
HARDENING := -fPIE -fstack-protector-strong -fno-strict-overflow \
	$(call first,-fstack-clash-protection) \
	$(call first,-fcf-protection=full -mbranch-protection=standard) \
	$(subst $(comma), ,$(call first,-ftrivial-auto-var-init=zero \
		-ftrivial-auto-var-init=zero$(comma)-enable-trivial-auto-var-init-zero-knowing-it-will-be-removed-from-clang)) \
	$(call first,-frecord-gcc-switches)
HARDENING_LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack,-z,separate-code,--as-needed
ifeq ($(SANITIZE),1)
  BUILD     := $(BUILD)/sanitize
  HARDENING += -fsanitize=address,undefined -fno-sanitize-recover=all -fno-omit-frame-pointer
else
  HARDENING += -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3
endif
ifeq ($(STATIC),1)
  BUILD          := $(BUILD)/static
  HARDENING_LINK := $(subst -pie,-static-pie,$(HARDENING_LINK))
endif

NL_CFLAGS := $(shell $(PKG_CONFIG) --cflags libnl-3.0 2>/dev/null | sed 's/-I/-isystem /g')
ALL_CFLAGS := -std=c11 -D_GNU_SOURCE -I. -I$(BUILD) $(NL_CFLAGS) $(WARNINGS) $(HARDENING) $(CFLAGS) $(CPPFLAGS) \
	-DSYSCONFDIR='"$(SYSCONFDIR)"' -DVERSION='"$(VERSION)"'
ifeq ($(filter check demo bench lint fuzz clean uninstall,$(MAKECMDGOALS)),)
  ifneq ($(shell $(PKG_CONFIG) --exists libnl-3.0 && echo yes),yes)
    $(error pkg-config does not find libnl-3.0; install what README names, or run tests/install-packages build)
  endif
endif
HELPER_LIBS := $(shell $(PKG_CONFIG) --libs libnl-3.0 2>/dev/null) -lcap-ng

# --- what is built from what ---------------------------------------------------------------------------------------

POLICY_SRC := $(wildcard policy/*.c)
LINK_SRC   := $(wildcard link/*.c)
HELPER_SRC := $(filter-out helper/filters.c,$(wildcard helper/*.c))
UNIT_SRC   := $(wildcard tests/unit/*.c)
NETNS_SRC  := $(wildcard tests/netns/test_*.c)
HARNESS_SRC := $(filter-out $(NETNS_SRC),$(wildcard tests/netns/*.c))
objects = $(patsubst %.c,$(BUILD)/%.o,$1)

HELPER     := $(BUILD)/tapgate-helper
# The parts of the helper that tests link on their own.
PARTS      := $(call objects,$(POLICY_SRC) $(LINK_SRC) $(filter-out helper/main.c,$(HELPER_SRC)))
UNIT       := $(patsubst tests/unit/%.c,$(BUILD)/tests/unit/%,$(UNIT_SRC))
NETNS      := $(patsubst tests/netns/%.c,$(BUILD)/tests/netns/%,$(NETNS_SRC))
FUZZ       := $(patsubst %.c,$(BUILD)/%,$(filter-out tests/fuzz/replay.c,$(wildcard tests/fuzz/*.c)))
TOOLS      := $(patsubst %.c,$(BUILD)/%,\
	$(wildcard tests/common/*.c tests/bench/*.c tests/differential/*.c tests/faults/*.c))

V ?= 0
ifneq ($(V),1)
  .SILENT:
  say = $(if $(findstring s,$(firstword -$(MAKEFLAGS))),,@echo '  $1')
endif

.PHONY: all tests sanitized print-flags install uninstall check demo bench lint fuzz clean FORCE
.DELETE_ON_ERROR:
.SECONDARY:

all: $(HELPER)
tests: all $(UNIT) $(NETNS) $(TOOLS)
sanitized: $(UNIT) $(FUZZ)

# For tests/lint: what the compiler is told.
print-flags:
	@echo $(filter-out -Werror -frecord-gcc-switches,$(ALL_CFLAGS))

$(HELPER): $(call objects,$(POLICY_SRC) $(LINK_SRC) $(HELPER_SRC))
	$(call say,LD $@)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)

$(BUILD)/%.o: %.c $(BUILD)/flags
	@mkdir -p $(@D)
	$(call say,CC $@)
	$(CC) $(ALL_CFLAGS) -MMD -MP -c -o $@ $<

# The seccomp filters are compiled by libseccomp on the build machine; the helper carries only the result.
$(BUILD)/filters: helper/filters.c $(BUILD)/flags
	$(BUILD_CC) -std=c11 -D_GNU_SOURCE -I. $(NL_CFLAGS) -O1 -Wall -Wextra -Werror -MMD -MP -o $@ $< -lseccomp
$(BUILD)/filters.h: $(BUILD)/filters
	$< $(FILTER_ARCH) >$@
$(BUILD)/helper/sandbox.o: $(BUILD)/filters.h

# A fuzz target that reads its corpus, without a fuzzer.
$(BUILD)/tests/fuzz/%: $(BUILD)/tests/fuzz/%.o $(BUILD)/tests/fuzz/replay.o $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS)
$(BUILD)/tests/unit/%: $(BUILD)/tests/unit/%.o $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS) -lcmocka
$(BUILD)/tests/netns/%: $(BUILD)/tests/netns/%.o $(call objects,$(HARNESS_SRC)) $(PARTS)
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^ $(HELPER_LIBS) -lcmocka
# Programs that the test scripts run; they share nothing with the helper.
$(TOOLS): $(BUILD)/%: $(BUILD)/%.o
	$(CC) $(ALL_CFLAGS) $(HARDENING_LINK) $(LDFLAGS) -o $@ $^

# Rebuild everything when the compiler or a flag changes.
$(BUILD)/flags: FORCE
	@mkdir -p $(@D)
	@echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(FILTER_ARCH)' | cmp -s - $@ || \
		echo '$(CC) $(subst ','\'',$(ALL_CFLAGS)) $(FILTER_ARCH)' >$@

-include $(shell find $(BUILD) -name '*.d' 2>/dev/null)

# --- installation ------------------------------------------------------------------------------------------------

install: all
	install -d $(DESTDIR)$(LIBEXECDIR) $(DESTDIR)$(SYSCONFDIR) $(DESTDIR)$(MANDIR)/man5 $(DESTDIR)$(MANDIR)/man8
	install -m 4755 $(HELPER) $(DESTDIR)$(LIBEXECDIR)/tapgate-helper
	@echo 'installed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper, mode 4755'
	if test -e $(DESTDIR)$(SYSCONFDIR)/tapgate.conf; then \
		echo 'kept $(DESTDIR)$(SYSCONFDIR)/tapgate.conf'; \
	else \
		install -m 644 etc/tapgate.conf $(DESTDIR)$(SYSCONFDIR)/tapgate.conf && \
		echo 'installed $(DESTDIR)$(SYSCONFDIR)/tapgate.conf, which allows nothing yet'; \
	fi
	install -m 644 man/tapgate.conf.5 $(DESTDIR)$(MANDIR)/man5/
	install -m 644 man/tapgate-helper.8 $(DESTDIR)$(MANDIR)/man8/

# The policy stays: it is the administrator's.
uninstall:
	test -e $(DESTDIR)$(LIBEXECDIR)/tapgate-helper || { \
		echo "uninstall: no $(DESTDIR)$(LIBEXECDIR)/tapgate-helper; give the variables of the installation, as PREFIX" >&2; \
		exit 1; }
	rm -f $(DESTDIR)$(LIBEXECDIR)/tapgate-helper $(DESTDIR)$(MANDIR)/man5/tapgate.conf.5 \
		$(DESTDIR)$(MANDIR)/man8/tapgate-helper.8
	@echo 'removed $(DESTDIR)$(LIBEXECDIR)/tapgate-helper and its manuals'

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
