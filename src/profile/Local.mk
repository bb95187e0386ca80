# src/profile: profile.proto and its model.
noinst_LTLIBRARIES += libprofile.la
libprofile_la_SOURCES = \
	src/profile/decode.c src/profile/decode.h \
	src/profile/decode_proto.c src/profile/decode_proto.h \
	src/profile/encode.c src/profile/encode.h \
	src/profile/ids.c src/profile/ids.h \
	src/profile/inflate.c src/profile/inflate.h \
	src/profile/private.h \
	src/profile/profile.c src/profile/profile.h \
	src/profile/strings.c \
	src/profile/validate.c \
	src/profile/wire.c src/profile/wire.h \
	$(NULL)
libprofile_la_CPPFLAGS = $(AM_CPPFLAGS) $(ZLIB_CFLAGS)
libprofile_la_LIBADD = libbase.la $(ZLIB_LIBS)
EXTRA_DIST += src/profile/profile.proto
