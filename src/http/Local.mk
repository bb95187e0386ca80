# src/http: /debug/pprof/ over libmicrohttpd.
noinst_LTLIBRARIES += libpprof-http-core.la
libpprof_http_core_la_SOURCES = \
	src/http/capture.c src/http/capture.h \
	src/http/http.c src/http/pprof_http.h \
	src/http/index.c \
	src/http/listen.c src/http/listen.h \
	src/http/own_fd.c src/http/own_fd.h \
	src/http/param.c \
	src/http/rates.c \
	src/http/reply.c \
	src/http/request.c src/http/request.h \
	src/http/route.c \
	src/http/symbol.c \
	src/http/thread.c src/http/thread.h \
	src/http/ui.h \
	src/http/writer.c src/http/writer.h \
	$(NULL)
libpprof_http_core_la_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS)
libpprof_http_core_la_LIBADD = $(MHD_LIBS) $(PTHREAD_LIBS)

# The page at ui/, or a word about where it is: what is linked with the core
# decides.  The page brings the reader and pcre2 with it.
noinst_LTLIBRARIES += libpprof-http-ui.la libpprof-http-noui.la
libpprof_http_ui_la_SOURCES = src/http/ui.c \
	src/http/ui_store.c src/http/ui_store.h
libpprof_http_ui_la_CPPFLAGS = $(AM_CPPFLAGS) $(MHD_CFLAGS)
libpprof_http_noui_la_SOURCES = src/http/ui_none.c
PPROF_UI_LIBS = libpprof-http-ui.la libweb.la libreport.la libprofile.la \
	libsymbol.la

lib_LTLIBRARIES += libpprof-http.la
# guard.c: hidden in libpprof.so, which has no hooks to be guarded from; the name
# must be there.
libpprof_http_la_SOURCES = src/http/pprof_http.h src/pprof/guard.c
libpprof_http_la_LIBADD = libpprof-http-core.la $(PPROF_UI_LIBS) libbase.la \
	libpprof.la
libpprof_http_la_LDFLAGS = $(AM_LDFLAGS) -version-info 0:0:0 \
	-export-symbols-regex '^pprof_http_' -no-undefined \
	-Wl,-z,nodelete -Wl,-z,relro -Wl,-z,now -Wl,-Bsymbolic-functions
include_HEADERS += src/http/pprof_http.h
nodist_pkgconfig_DATA += src/http/pprof-http.pc
if !SANITIZED
nodist_pkgconfig_DATA += src/http/pprof-preload.pc
endif
EXTRA_DIST += src/http/pprof-http.pc.in src/http/pprof-preload.pc.in
CLEANFILES += src/http/pprof-http.pc src/http/pprof-preload.pc
http_pc = $(AM_V_GEN)$(MKDIR_P) src/http && $(SED) \
	-e 's|@prefix[@]|$(prefix)|' \
	-e 's|@exec_prefix[@]|$(exec_prefix)|' \
	-e 's|@libdir[@]|$(libdir)|' \
	-e 's|@includedir[@]|$(includedir)|' \
	-e 's|@PACKAGE_VERSION[@]|$(PACKAGE_VERSION)|' \
	$(srcdir)/$@.in >$@.tmp && mv $@.tmp $@
src/http/pprof-http.pc: src/http/pprof-http.pc.in Makefile
	$(http_pc)
src/http/pprof-preload.pc: src/http/pprof-preload.pc.in Makefile
	$(http_pc)
TESTS += tests/http-embed.sh
EXTRA_DIST += tests/http-embed.sh

check_PROGRAMS += tests/check_http
TESTS += tests/check_http
tests_check_http_SOURCES = \
	tests/check_http.c \
	tests/fake_pprof.c tests/fake_pprof.h \
	tests/http_client.c tests/http_client.h \
	$(NULL)
tests_check_http_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS)
tests_check_http_LDADD = libpprof-http-core.la libpprof-http-noui.la \
	libbase.la $(CHECK_LIBS)
EXTRA_DIST += \
	tests/golden/http/allocs.headers \
	tests/golden/http/allocs_debug1.headers \
	tests/golden/http/block_delta.headers \
	tests/golden/http/cmdline.headers \
	tests/golden/http/cpu.headers \
	tests/golden/http/e404.body tests/golden/http/e404.headers \
	tests/golden/http/e_both.body tests/golden/http/e_both.headers \
	tests/golden/http/e_concurrent.body \
	tests/golden/http/e_concurrent.headers \
	tests/golden/http/e_seconds.body tests/golden/http/e_seconds.headers \
	tests/golden/http/e_seconds0.body \
	tests/golden/http/e_seconds0.headers \
	tests/golden/http/goroutine_debug2.headers \
	tests/golden/http/heap.headers \
	tests/golden/http/heap_delta.headers \
	tests/golden/http/index.body tests/golden/http/index.headers \
	tests/golden/http/mutex.headers \
	tests/golden/http/mutex_debug1.headers \
	tests/golden/http/symbol_get.body tests/golden/http/symbol_get.headers \
	tests/golden/http/symbol_post.body \
	tests/golden/http/symbol_post.headers \
	tests/golden/http/threadcreate.headers \
	$(NULL)

check_PROGRAMS += tests/check_ui
TESTS += tests/check_ui
tests_check_ui_SOURCES = \
	tests/check_ui.c \
	tests/http_client.c tests/http_client.h \
	$(NULL)
tests_check_ui_CPPFLAGS = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(JANSSON_CFLAGS)
tests_check_ui_LDADD = libpprof-http-core.la $(PPROF_UI_LIBS) \
	$(PPROF_NOUNWIND_LIBS) $(CHECK_LIBS) $(JANSSON_LIBS)

# libpprof-preload.so: all of it, for a program that was never changed.  With
# libgcc's unwinder alone: libunwind.so would bring its own _Unwind_* and
# backtrace into the program's scope.
if !SANITIZED
lib_LTLIBRARIES += libpprof-preload.la
endif
EXTRA_DIST += src/http/preload.map
# preload.c in an archive of its own, the last one: its constructor must run
# after those of all the others.
noinst_LTLIBRARIES += libpreload.la
libpreload_la_SOURCES = src/http/preload.c
libpprof_preload_la_SOURCES =
libpprof_preload_la_LDFLAGS = $(AM_LDFLAGS) -module -avoid-version -shared \
	-rpath $(libdir) \
	-Wl,-z,now -Wl,-z,defs \
	-Wl,--version-script=$(srcdir)/src/http/preload.map
EXTRA_libpprof_preload_la_DEPENDENCIES = src/http/preload.map
libpprof_preload_la_LIBADD = libshim-malloc.la libpprof-shim.la \
	libshim-daemon.la libpprof-http-core.la libpprof-http-noui.la \
	libpprof-core.la \
	libpprof-nounwind.la $(PPROF_BASE_LIBS) libpreload.la $(PTHREAD_LIBS)

if !SANITIZED
TESTS += tests/preload.sh
check_PROGRAMS += tests/preload_subject tests/preload_throw \
	tests/preload_replaced tests/preload_odd
LONG_TESTS += tests/preload-odd-long.sh
endif
EXTRA_DIST += tests/preload.sh tests/preload-odd-long.sh
EXTRA_PROGRAMS += tests/preload_subject tests/preload_throw \
	tests/preload_replaced tests/preload_odd
tests_preload_subject_SOURCES = tests/preload_subject.c
tests_preload_subject_CFLAGS = $(AM_CFLAGS) -fno-builtin
tests_preload_subject_LDADD = $(PTHREAD_LIBS) -ldl
tests_preload_odd_SOURCES = tests/preload_odd.c
tests_preload_odd_LDADD = $(PTHREAD_LIBS) -ldl
tests_preload_throw_SOURCES = tests/preload_throw.cc
tests_preload_throw_CXXFLAGS = $(AM_CXXFLAGS) -fsized-deallocation
tests_preload_replaced_SOURCES = tests/preload_replaced.cc
tests_preload_replaced_CXXFLAGS = $(AM_CXXFLAGS) -fsized-deallocation
