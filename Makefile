# SPDX-License-Identifier: Apache-2.0
# nlbsim: one Makefile, out of tree. `make help` lists the targets.

VERSION := 0.1.0
FOLDERS := core confine tls certs/x509 certs/store certs/lab certs/judge certs/audit diagnose observe explain targets flow listeners vpclink nlb labtarget testbed matrix cli
CC ?= cc
PREFIX ?= /usr/local
DESTDIR ?=
SAN ?=
V ?=

comma := ,
CONFIG := $(if $(SAN),san-$(subst $(comma),-,$(SAN)),release)
B := build/$(CONFIG)
FB := build/fuzz
Q := $(if $(V),,@)
say = $(if $(V),,@printf '  %-7s %s\n' '$(1)' '$(2)')

# --- libraries, by pkg-config; build/deps holds what scripts/deps had to unpack ---------------
MULTIARCH := $(shell $(CC) -print-multiarch 2>/dev/null)
DEPS_LIB := $(CURDIR)/build/deps/usr/lib/$(MULTIARCH)
PKGCONF := PKG_CONFIG_PATH=$(DEPS_LIB)/pkgconfig:$(PKG_CONFIG_PATH) pkg-config
PKGS := mbedtls mbedx509 mbedcrypto libssl libcrypto libevent_core libevent_pthreads inih jansson libllhttp libpsl libidn nettle hogweed gmp libzstd zlib
LIBNAMES := mbedtls mbedx509 mbedcrypto ssl crypto event_pthreads event_core inih jansson llhttp psl idn idn2 unistring hogweed nettle gmp zstd z
NEEDS := $(if $(filter clean help format compile_commands.json,$(or $(MAKECMDGOALS),all)),,yes)
ifeq ($(NEEDS),yes)
MISSING := $(strip $(foreach p,$(PKGS),$(shell $(PKGCONF) --exists $(p) || echo $(p))))
ifneq ($(MISSING),)
$(error missing: $(MISSING). Run 'sh scripts/deps' (Debian), or install what docs/dependencies.md lists)
endif
ifneq ($(shell $(PKGCONF) --atleast-version=3.6 mbedtls && echo yes),yes)
$(error mbedTLS $(shell $(PKGCONF) --modversion mbedtls) found, 3.6 or later of the 3.x line needed. Run 'sh scripts/deps')
endif
ifneq ($(shell $(PKGCONF) --atleast-version=3.5 libssl && echo yes),yes)
$(error OpenSSL $(shell $(PKGCONF) --modversion libssl) found, 3.5 or later of the 3.x line needed. Run 'sh scripts/deps')
endif
endif

PKG_CFLAGS := $(shell $(PKGCONF) --cflags $(PKGS) 2>/dev/null) $(addprefix -I,$(wildcard build/deps/usr/include/$(MULTIARCH)))
PKG_LDIRS := $(shell $(PKGCONF) --libs-only-L $(PKGS) 2>/dev/null)
# A static archive where there is one, so that the installed binary needs nothing but libc.
archive = $(or $(wildcard $(DEPS_LIB)/lib$(1).a),$(filter /%,$(shell $(CC) -print-file-name=lib$(1).a)))
lib = $(or $(call archive,$(1)),-l$(1))
LIBS := $(PKG_LDIRS) $(foreach l,$(LIBNAMES),$(call lib,$(l))) -lpthread -lm

# Functions of the TLS libraries that tls/mbedtls_private.c and tls/openssl_private.c replace: --wrap with a static archive,
# symbol interposition (-rdynamic) with a shared library. See docs/libraries.md.
ifneq ($(call archive,mbedtls),)
WRAP_LDFLAGS := -Wl,--wrap=mbedtls_x509_crt_parse_der
else
WRAP_CFLAGS := -DNLB_MBEDTLS_SHARED=1
WRAP_LDFLAGS := -rdynamic
endif
ifneq ($(call archive,ssl),)
WRAP_LDFLAGS += -Wl,--wrap=X509_get_key_usage
else
WRAP_CFLAGS += -DNLB_OPENSSL_SHARED=1
WRAP_LDFLAGS += -rdynamic
endif

# Debian 13's archives of OpenSSL ask for two names that the libc of Debian 12 has not.
SHIM = $B/tls/libc_shim.o

# --- flags ------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wpedantic -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wformat=2 \
        -Wvla -Wundef -Wconversion -Werror
CPPFLAGS += -D_GNU_SOURCE -DNLB_VERSION='"$(VERSION)"' -I. -Ibuild/gen $(subst -I,-isystem ,$(PKG_CFLAGS)) $(WRAP_CFLAGS)
BASE := -std=c17 -g -O2 $(WARN) -fno-strict-aliasing -MMD -MP
ifeq ($(SAN),)
# `make hardening-check` looks whether they arrived in the binary. The two that only newer compilers know are tried.
where_known = $(foreach f,$(1),$(shell $(CC) -Werror $(f) -E -x c /dev/null >/dev/null 2>&1 && echo $(f)))
HARDEN := -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong -fstack-clash-protection -fPIE
HARDEN += $(call where_known,-ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr)
HARDEN += $(if $(filter x86_64-%,$(MULTIARCH)),-fcf-protection=full) $(if $(filter aarch64-%,$(MULTIARCH)),-mbranch-protection=standard)
HARDEN += -ffunction-sections -fdata-sections
LDHARDEN := -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack -Wl,--gc-sections
else
HARDEN := -fsanitize=$(SAN) -fno-omit-frame-pointer -fno-sanitize-recover=all -O1
LDHARDEN := -fsanitize=$(SAN)
endif
CFLAGS_ALL = $(BASE) $(HARDEN) $(CFLAGS)
LDFLAGS_ALL = $(LDHARDEN) $(WRAP_LDFLAGS) $(LDFLAGS)

# What was compiled with other flags is compiled again: objects are older than this file then.
ifeq ($(NEEDS),yes)
FLAGS_NOW = $(CPPFLAGS) $(CFLAGS_ALL) $(LDFLAGS_ALL)
$(shell mkdir -p $B; printf '%s\n' '$(FLAGS_NOW)' | cmp -s - $B/flags || printf '%s\n' '$(FLAGS_NOW)' >$B/flags)
endif

# --- what is built ------------------------------------------------------------------------------
SRC := $(sort $(foreach f,$(FOLDERS),$(wildcard $(f)/*.c)))
LIBSRC := $(filter-out cli/main.c,$(SRC))
OBJ := $(SRC:%.c=$B/%.o)
LIBOBJ := $(LIBSRC:%.c=$B/%.o)
UNITSRC := $(sort $(wildcard tests/unit/*/test_*.c) $(wildcard tests/unit/*/*/test_*.c))
UNIT := $(UNITSRC:%.c=$B/%)
REPLAY = $(FUZZSRC:%.c=$B/%)
FUZZSRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZLIB := $(sort $(wildcard tests/fuzz/lib/*.c))
# tests/fuzz/lib puts itself before these: limits.c the first, tls_bench.c the rest.
FUZZ_LDFLAGS := $(addprefix -Wl$(comma)--wrap=,LLVMFuzzerTestOneInput mbedtls_ctr_drbg_random time mbedtls_ms_time \
                mbedtls_ssl_write_handshake_msg_ext mbedtls_ssl_finish_handshake_msg RAND_bytes_ex RAND_priv_bytes_ex)
BENCHSRC := $(sort $(wildcard bench/*.c))
BENCHBIN := $(BENCHSRC:%.c=$B/%)
TESTLIBSRC := $(sort $(wildcard tests/lib/*.c))
TESTLIBOBJ := $(TESTLIBSRC:%.c=$B/%.o)

.PHONY: all check it test fuzz fuzz-targets bench format format-check layers mirror unused hardening-check unit golden install clean help
.DELETE_ON_ERROR:
.SECONDARY:
all: $B/nlbsim

$B/nlbsim: $(OBJ)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_ALL) -o $@ $(OBJ) $(LDFLAGS_ALL) $(LIBS) -Wl,--print-gc-sections 2>$B/gc-sections || { cat $B/gc-sections >&2; exit 1; }

$B/libnlbsim.a: $(LIBOBJ)
	$(call say,AR,$@)
	$Qrm -f $@ && $(AR) rcs $@ $(LIBOBJ)

$B/%.o: %.c $B/flags
	@mkdir -p $(@D)
	$(call say,CC,$<)
	$Q$(CC) $(CPPFLAGS) $(CFLAGS_ALL) -c -o $@ $<

# The names of this architecture's system calls, for the last words of confine/confine_calls.c.
CALL_NAMES := build/gen/syscall_names.h
$(CALL_NAMES):
	@mkdir -p $(@D)
	$Qecho '#include <asm/unistd.h>' | $(CC) -E -dM - | sed -n 's/^#define __NR_\([a-z0-9_]*\) .*/CALL(\1)/p' | grep -v -w -e syscalls -e arch_specific_syscall >$@
$B/confine/confine_calls.o $(FB)/obj/confine/confine_calls.o: $(CALL_NAMES)

# The catalogue is embedded by the assembler.
$B/matrix/catalogue.o $(FB)/obj/matrix/catalogue.o: $(wildcard scenarios/*.ini)

$B/tests/unit/%: $B/tests/unit/%.o $(TESTLIBOBJ) $B/libnlbsim.a
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_ALL) -o $@ $< $(TESTLIBOBJ) $(SHIM) $B/libnlbsim.a $(LDFLAGS_ALL) $(LIBS) -lcmocka

# Each fuzz target once more, as a program that runs its corpus: no fuzzer needed.
$B/tests/fuzz/%.o: WARN += -Wno-missing-prototypes
$B/tests/fuzz/fuzz_%: $B/tests/fuzz/fuzz_%.o $B/tests/fuzz/replay.o $(FUZZLIB:%.c=$B/%.o) $B/libnlbsim.a
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_ALL) -o $@ $(filter %.o,$^) $(SHIM) $B/libnlbsim.a $(LDFLAGS_ALL) $(FUZZ_LDFLAGS) $(LIBS)

# The benchmark's tools are clients and a target of their own.
$B/bench/%: $B/bench/%.o $(SHIM)
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_ALL) -o $@ $< $(SHIM) $(LDHARDEN) $(LIBS)

# … but for what measures a part of the program itself.
$B/bench/sni_pick: $B/bench/sni_pick.o $B/libnlbsim.a
	$(call say,LINK,$@)
	$Q$(CC) $(CFLAGS_ALL) -o $@ $< $(SHIM) $B/libnlbsim.a $(LDFLAGS_ALL) $(LIBS)

# --- checks --------------------------------------------------------------------------------------
# A sanitizer's build keeps every function and loses other protections, so two of them ask the plain one.
check: layers mirror $(if $(SAN),,unused hardening-check) format-check unit golden
unit: $(UNIT) $(REPLAY)
	$Qpython3 scripts/run-tests unit $(UNIT) $(REPLAY)
golden: $B/nlbsim
	$QNLBSIM=$B/nlbsim python3 scripts/run-tests it $(sort $(wildcard tests/golden/test_*.py))
IT ?= $(sort $(wildcard tests/it/test_*.py tests/it/*.sh))
it: $B/nlbsim
	$QNLBSIM=$B/nlbsim python3 scripts/run-tests it $(IT)
test: layers mirror $(if $(SAN),,unused hardening-check) format-check $(UNIT) $(REPLAY) $B/nlbsim
	$QNLBSIM=$B/nlbsim python3 scripts/run-tests all $(UNIT) $(REPLAY) $(sort $(wildcard tests/golden/test_*.py tests/it/test_*.py tests/it/*.sh))
layers: $(OBJ)
	$Qsh scripts/layers.sh $B
unused: $B/nlbsim
	$Qpython3 scripts/unused $B/gc-sections
hardening-check: $B/nlbsim
	$Qpython3 scripts/hardening-check $B/nlbsim
print-%: # for scripts: make print-HARDEN
	@echo '$($*)'
mirror:
	$Qpython3 scripts/mirror $(FOLDERS)
format:
	$Qclang-format -i $(wildcard $(addsuffix /*.[ch],$(FOLDERS) tests/unit/* tests/unit/certs/* tests/lib tests/fuzz tests/fuzz/lib bench))
format-check:
	$Qsh scripts/format-check $(wildcard $(addsuffix /*.[ch],$(FOLDERS) tests/unit/* tests/unit/certs/* tests/lib tests/fuzz tests/fuzz/lib bench))

# --- fuzzing: libFuzzer, its own folder -----------------------------------------------------------
FUZZ_SECONDS ?= 20
FUZZCC ?= clang
FUZZBIN := $(FUZZSRC:tests/fuzz/%.c=$(FB)/%)
FUZZOBJ := $(LIBSRC:%.c=$(FB)/obj/%.o)
$(FB)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(call say,FUZZCC,$<)
	$Q$(FUZZCC) $(CPPFLAGS) -std=c17 -g -O1 -MMD -MP -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=all -c -o $@ $<
$(FB)/fuzz_%: $(FB)/obj/tests/fuzz/fuzz_%.o $(FUZZLIB:%.c=$(FB)/obj/%.o) $(FUZZOBJ)
	$(call say,FUZZLD,$@)
	$Q$(FUZZCC) -fsanitize=fuzzer,address,undefined -o $@ $^ $(WRAP_LDFLAGS) $(FUZZ_LDFLAGS) $(LIBS)
fuzz-targets: $(FUZZBIN)
fuzz: $(FUZZBIN)
	$Qpython3 scripts/fuzz-farm --short $(FUZZ_SECONDS)

bench: $B/nlbsim $(BENCHBIN)
	$QNLBSIM=$B/nlbsim BENCHBIN=$B/bench python3 bench/bench.py $(BENCH)

# --- house keeping ----------------------------------------------------------------------------------
install: $B/nlbsim
	install -D -m 0755 $B/nlbsim $(DESTDIR)$(PREFIX)/bin/nlbsim
	install -D -m 0644 LICENSE $(DESTDIR)$(PREFIX)/share/doc/nlbsim/LICENSE
	install -m 0644 README.md $(wildcard docs/*.md) $(DESTDIR)$(PREFIX)/share/doc/nlbsim/
compile_commands.json:
	$Qpython3 scripts/compile-commands '$(CC) $(CPPFLAGS) $(BASE)' $(SRC) $(UNITSRC) >$@
clean:
	rm -rf build/release build/san-* build/fuzz
help:
	@echo 'make · make check · make it [IT=tests/it/test_x.py] · make test (all of it) · make fuzz [FUZZ_SECONDS=n] · make bench'
	@echo 'make SAN=address,undefined check · make SAN=thread check · make format · make hardening-check · make compile_commands.json'
	@echo 'make install DESTDIR= PREFIX=/usr/local · make clean · V=1 shows commands'

-include $(OBJ:.o=.d) $(FUZZOBJ:.o=.d) $(FUZZLIB:%.c=$B/%.d) $(FUZZLIB:%.c=$(FB)/obj/%.d) $(FUZZSRC:%.c=$(FB)/obj/%.d) $(UNIT:=.d) $(REPLAY:=.d) $(BENCHBIN:=.d) $(TESTLIBOBJ:.o=.d)
