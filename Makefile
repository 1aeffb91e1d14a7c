
# Copyright (C) Hyperdrive for nginx authors


# Another nginx source tree may be given, its version must be that of the
# nginx that will load the module.

NGINX_SRC   = /usr/share/nginx/src
MODULES_DIR = /usr/lib/nginx/modules
DESTDIR     =

# CC and CFLAGS are used as they are given; SANITIZE=1 makes a second module,
# with the address and undefined behaviour sanitizers, in a folder of its own.

CC          = cc
CFLAGS      =
SANITIZE    =
JOBS        = $(shell nproc)

TESTS       = t/*.t $(wildcard t/drivers/*.t)
TEST_JOBS   = 2
TEST_TIMEOUT = 900

# Tests stay in the process group of make: who ends that, ends them, and they
# end what they have started.

TEST_RUN    = setpriv --pdeathsig TERM \
	timeout --foreground -k 30 $(TEST_TIMEOUT) perl

NAME        = ngx_stream_hyperdrive_module.so

# All paths are relative, and nginx's configure gets a link to this folder: it
# would break on a blank in the path.

ifeq ($(SANITIZE),)

OUT         = build
TOP         = ../..
CC_OPT      = -O2 -fstack-protector-strong -D_FORTIFY_SOURCE=2
LD_OPT      = -Wl,-z,relro -Wl,-z,now

else

OUT         = build/sanitize
TOP         = ../../..
CC_OPT      = -O1 -fno-omit-frame-pointer -fsanitize=address,undefined
LD_OPT      = -fsanitize=address,undefined

endif

NGX         = $(OUT)/nginx
MODULE      = $(OUT)/$(NAME)

CONFIGURE   = --with-compat --with-debug --with-stream \
	--with-stream_ssl_module --with-http_ssl_module \
	--with-http_stub_status_module \
	--with-cc="$(CC)" \
	--with-cc-opt="$(strip $(CC_OPT) -MMD -MP $(CFLAGS))" \
	--with-ld-opt="$(LD_OPT)" \
	--add-dynamic-module=hyperdrive


help:
	@echo 'make build    the module, in build/$(NAME)'
	@echo 'make demo     a far database, direct and through the module'
	@echo '              DEMO_RTT=100 (ms), KEEP=1 stays up'
	@echo 'make test     all tests; TESTS="t/max.t ..." only these,'
	@echo '              FUZZ_SECONDS=5 for each fuzz target'
	@echo 'make bench    throughput and CPU time, against PgBouncer too, and with'
	@echo '              MariaDB;'
	@echo '              QUICK=1, BENCH_SECONDS=3, BENCH_CLIENTS="1 16 64 256"'
	@echo 'make bench-cache  the cache against a canned answer, Redis,'
	@echo '              Pgpool-II and PgBouncer; BENCH_PAIRS=5, BENCH_LARGE=1'
	@echo 'make bench-policy  what 50 rules and Lua cost; BENCH_PAIRS=7'
	@echo 'make test-newer  some tests with a newer nginx, NEWER=trixie|DIR'
	@echo 'make install  the module into $(MODULES_DIR)'
	@echo 'make deps     the Debian packages for all that; done by itself'
	@echo 'make clean    removes build/'
	@echo
	@echo 'Variables of build: NGINX_SRC, CC, CFLAGS, SANITIZE=1, JOBS'


deps:
	@sh t/lib/deps.sh all

deps-build:
	@NGINX_SRC="$(NGINX_SRC)" sh t/lib/deps.sh build

build: deps-build
	@$(MAKE) --no-print-directory $(MODULE) build/relay


# Both files change only when what is in them does: another option starts
# afresh, another list of sources runs configure again.

$(OUT)/options: FORCE
	@mkdir -p $(OUT)
	@printf '%s\n' '$(NGINX_SRC)' '$(CONFIGURE)' > $@.new
	@grep -hs 'define NGINX_VERSION' "$(NGINX_SRC)/src/core/nginx.h" \
	>> $@.new || :
	@cmp -s $@.new $@ && rm $@.new || { rm -rf $(NGX); mv $@.new $@; }

$(OUT)/sources: FORCE
	@mkdir -p $(OUT)
	@find ngx_hyperdrive_module -name '*.[ch]' | LC_ALL=C sort > $@.new
	@cmp -s $@.new $@ && rm $@.new || mv $@.new $@

$(NGX)/configure: $(OUT)/options
	@test -d "$(NGINX_SRC)" \
	|| { echo 'no nginx sources in $(NGINX_SRC), see NGINX_SRC'; exit 1; }
	rm -rf $(NGX)
	cp -R "$(NGINX_SRC)" $(NGX)
	test -e $@ || cp $(NGX)/auto/configure $@
	ln -s $(TOP) $(NGX)/hyperdrive
	touch $@

$(NGX)/objs/Makefile: $(NGX)/configure $(OUT)/sources config
	cd $(NGX) && ./configure $(CONFIGURE) > configure.log 2>&1 \
	|| { cat configure.log; rm -f objs/Makefile; exit 1; }
	printf '%s\n' 'include objs/Makefile' \
	'-include $$(wildcard objs/addon/*/*.d)' > $(NGX)/hyperdrive.mk

# What depends on which header is written down by the compiler (-MMD), and
# read by hyperdrive.mk.  Without MAKEFLAGS, or a CFLAGS given to us would
# replace nginx's own.

$(MODULE): $(NGX)/objs/Makefile FORCE
	@env -u MAKEFLAGS $(MAKE) -C $(NGX) -s -f hyperdrive.mk -j$(JOBS) \
	objs/$(NAME) > $(OUT)/make.log 2>&1 \
	|| { cat $(OUT)/make.log; exit 1; }
	@! nm -D --undefined-only $(NGX)/objs/$(NAME) | grep '_hyperdrive_' \
	|| { echo 'these symbols are nowhere defined'; exit 1; }
	@cmp -s $(NGX)/objs/$(NAME) $@ \
	|| { cp $(NGX)/objs/$(NAME) $@.new && mv $@.new $@ && echo $@; }

build/relay: t/relay/relay.c
	@mkdir -p build
	$(CC) -O2 -g -W -Wall -Wextra -Werror -o $@ $<


# Packages of the JavaScript drivers, as the lock file has them.

build/node_modules/.package-lock.json: t/drivers/package.json \
	t/drivers/package-lock.json
	@mkdir -p build
	cp $^ build/
	cd build && npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
	touch $@


demo: deps
	@$(MAKE) --no-print-directory build \
	build/node_modules/.package-lock.json
	@NODE_PATH="$(CURDIR)/build/node_modules" perl t/demo/demo.pl


test: deps
	@$(MAKE) --no-print-directory build \
	build/node_modules/.package-lock.json
	PERL5LIB="$(CURDIR)/t/lib" NODE_PATH="$(CURDIR)/build/node_modules" \
	prove -j$(TEST_JOBS) --timer \
	--exec '$(TEST_RUN)' $(TESTS)


bench: deps
	@$(MAKE) --no-print-directory build
	@perl t/bench/bench.pl
	@perl t/bench/mysql.pl


# What the cache is measured against: the same nginx with nothing in it.

CANNED      = ngx_stream_bench_canned_module.so

build/bench/$(CANNED): t/bench/canned/ngx_stream_bench_canned_module.c \
	t/bench/canned/config
	@mkdir -p build/bench
	rm -rf build/bench/nginx
	cp -R "$(NGINX_SRC)" build/bench/nginx
	test -e build/bench/nginx/configure \
	|| cp build/bench/nginx/auto/configure build/bench/nginx/configure
	ln -s ../../../t/bench/canned build/bench/nginx/canned
	cd build/bench/nginx && ./configure --with-compat --with-debug \
	--with-stream --with-stream_ssl_module --with-http_ssl_module \
	--with-cc-opt="$(CC_OPT)" --with-ld-opt="$(LD_OPT)" \
	--add-dynamic-module=canned > configure.log 2>&1 \
	&& env -u MAKEFLAGS $(MAKE) -s -f objs/Makefile objs/$(CANNED) \
	> make.log 2>&1 || { cat configure.log make.log; exit 1; }
	cp build/bench/nginx/objs/$(CANNED) $@

# What asks: pgbench takes more of a core than what it measures.

build/bench/load: t/bench/load.c
	@mkdir -p build/bench
	$(CC) -O2 -g -W -Wall -Wextra -Werror -o $@ $<

bench-cache: deps
	@sh t/lib/deps.sh bench
	@$(MAKE) --no-print-directory build build/bench/$(CANNED) build/bench/load
	@perl t/bench/cache.pl


# What a policy costs a repeated statement.

bench-policy: deps
	@$(MAKE) --no-print-directory build
	@perl t/bench/policy.pl


# The same tests with another nginx: a Debian release, or a source tree.

NEWER       = trixie
NEWER_TESTS = t/conf_errors.t t/login.t t/tls_client.t t/pool.t t/upstream.t \
	t/cache.t t/statements.t t/query_log.t t/reload.t t/status.t

test-newer: deps
	@$(MAKE) --no-print-directory build/relay
	sh t/newer.sh "$(NEWER)" | tee build/newer.env
	env $$(grep '^TEST_' build/newer.env) \
	prove --timer --exec '$(TEST_RUN)' $(NEWER_TESTS)


install: build
	install -D -m 644 $(MODULE) "$(DESTDIR)$(MODULES_DIR)/$(NAME)"
	@echo 'load_module modules/$(NAME);'


clean:
	rm -rf build


FORCE:

.PHONY: help deps deps-build build demo test bench bench-cache bench-policy test-newer \
	install clean FORCE
