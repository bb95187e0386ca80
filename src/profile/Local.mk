# src/profile: profile.proto and its model.
noinst_LTLIBRARIES += libprofile.la
libprofile_la_SOURCES = \
	src/profile/block.c src/profile/block.h \
	src/profile/decode.c src/profile/decode.h \
	src/profile/decode_fields.c src/profile/decode_fields.h \
	src/profile/decode_proto.c src/profile/decode_proto.h \
	src/profile/decode_tables.c \
	src/profile/encode.c src/profile/encode.h \
	src/profile/ids.c src/profile/ids.h \
	src/profile/index.c src/profile/index.h \
	src/profile/inflate.c src/profile/inflate.h \
	src/profile/legacy.c src/profile/legacy.h \
	src/profile/legacy_cpu.c \
	src/profile/legacy_frames.c \
	src/profile/legacy_heap.c \
	src/profile/legacy_maps.c \
	src/profile/legacy_stacks.c \
	src/profile/legacy_text.c \
	src/profile/merge.c \
	src/profile/merge_tables.c \
	src/profile/merger.h \
	src/profile/private.h \
	src/profile/profile.c src/profile/profile.h \
	src/profile/scale.c \
	src/profile/strings.c \
	src/profile/validate.c \
	src/profile/wire.c src/profile/wire.h \
	$(NULL)
libprofile_la_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS)
# A product links libbase.la too: a convenience archive holds no other, or a
# shared library would hold it twice.
libprofile_la_LIBADD = $(ZLIB_LIBS) -lm
EXTRA_libprofile_la_DEPENDENCIES = $(srcdir)/src/profile/Local.mk
EXTRA_DIST += src/profile/profile.proto

# protobuf-c's own code for profile.proto: the oracle in the tests.
src/profile/profile.pb-c.c: src/profile/profile.proto
	$(AM_V_GEN)$(MKDIR_P) src/profile && $(PROTOC_C) \
		--proto_path=$(srcdir)/src --c_out=src profile/profile.proto
src/profile/profile.pb-c.h: src/profile/profile.pb-c.c
	@test -f $@ || { rm -f src/profile/profile.pb-c.c && \
		$(MAKE) $(AM_MAKEFLAGS) src/profile/profile.pb-c.c; }
BUILT_SOURCES += src/profile/profile.pb-c.h
CLEANFILES += src/profile/profile.pb-c.c src/profile/profile.pb-c.h

profile_test_sources = \
	tests/profile_fixture.c tests/profile_fixture.h tests/profile_raw.c
profile_test_cppflags = $(AM_CPPFLAGS) $(CHECK_CFLAGS) $(ZLIB_CFLAGS)
profile_test_ldadd = libprofile.la libbase.la $(CHECK_LIBS)

check_PROGRAMS += tests/check_profile
TESTS += tests/check_profile
tests_check_profile_SOURCES = tests/check_profile.c $(profile_test_sources)
nodist_tests_check_profile_SOURCES = \
	src/profile/profile.pb-c.c src/profile/profile.pb-c.h
tests_check_profile_CPPFLAGS = $(profile_test_cppflags) $(PROTOBUF_C_CFLAGS)
tests_check_profile_LDADD = $(profile_test_ldadd) $(PROTOBUF_C_LIBS)
# `make tests/check_profile` alone does not make BUILT_SOURCES.
tests/check_profile-check_profile.$(OBJEXT): src/profile/profile.pb-c.h

check_PROGRAMS += tests/check_profile_decode
TESTS += tests/check_profile_decode
tests_check_profile_decode_SOURCES = \
	tests/check_profile_decode.c $(profile_test_sources)
tests_check_profile_decode_CPPFLAGS = $(profile_test_cppflags)
tests_check_profile_decode_LDADD = $(profile_test_ldadd) $(ZLIB_LIBS)

check_PROGRAMS += tests/check_profile_merge
TESTS += tests/check_profile_merge
tests_check_profile_merge_SOURCES = \
	tests/check_profile_merge.c $(profile_test_sources)
tests_check_profile_merge_CPPFLAGS = $(profile_test_cppflags)
tests_check_profile_merge_LDADD = $(profile_test_ldadd)

check_PROGRAMS += tests/check_profile_compact
TESTS += tests/check_profile_compact
tests_check_profile_compact_SOURCES = \
	tests/check_profile_compact.c $(profile_test_sources)
tests_check_profile_compact_CPPFLAGS = $(profile_test_cppflags)
tests_check_profile_compact_LDADD = $(profile_test_ldadd)

check_PROGRAMS += tests/check_profile_nomem
TESTS += tests/check_profile_nomem
tests_check_profile_nomem_SOURCES = \
	tests/check_profile_nomem.c $(profile_test_sources)
tests_check_profile_nomem_CPPFLAGS = $(profile_test_cppflags)
tests_check_profile_nomem_LDFLAGS = $(AM_LDFLAGS) \
	-Wl,--wrap=malloc -Wl,--wrap=calloc -Wl,--wrap=realloc
tests_check_profile_nomem_LDADD = $(profile_test_ldadd)

# A libFuzzer target under --enable-fuzzing; else a program that replays files.
check_PROGRAMS += tests/fuzz_profile
TESTS += tests/fuzz-profile.sh
EXTRA_DIST += tests/fuzz-lib.sh tests/fuzz-profile.sh tests/corpus/profile
tests_fuzz_profile_SOURCES = tests/fuzz_profile.c $(profile_test_sources)
tests_fuzz_profile_LDADD = libprofile.la libbase.la
if FUZZING
tests_fuzz_profile_LDFLAGS = $(AM_LDFLAGS) -fsanitize=fuzzer,address,undefined
else
tests_fuzz_profile_SOURCES += tests/fuzz_main.c
endif

check_PROGRAMS += tests/profile_convert
tests_profile_convert_SOURCES = \
	tests/profile_convert.c $(profile_test_sources)
tests_profile_convert_LDADD = libprofile.la libbase.la
TESTS += tests/profile-go.sh
LONG_TESTS += tests/profile-go-long.sh
EXTRA_DIST += tests/profile-go.sh tests/profile-go-long.sh tests/golden/legacy

check_PROGRAMS += tests/check_profile_legacy
TESTS += tests/check_profile_legacy
tests_check_profile_legacy_SOURCES = \
	tests/check_profile_legacy.c $(profile_test_sources)
tests_check_profile_legacy_CPPFLAGS = $(profile_test_cppflags)
tests_check_profile_legacy_LDADD = $(profile_test_ldadd)
