/*
 * embed.h - a file of the source tree as bytes in the program, by the
 * assembler's .incbin: no generated source, no tool at build time.
 *
 *	EMBED(page_script, "web/page.js");
 *	... embed_page_script, EMBED_SIZE(page_script) ...
 *
 * The path is looked for along -I, so it is relative to src/, in a build out
 * of tree as well.  A compiler's dependency file does not list it: the one
 * who embeds writes the rule, and puts the file into the tarball:
 *
 *	EXTRA_DIST += src/web/page.js
 *	src/web/libweb_la-assets.lo: src/web/page.js
 *
 * A NUL stands behind the bytes, so that a text may be used as one.  The
 * symbols are hidden: a shared library does not export them.
 */
#ifndef PROFLAB_BASE_EMBED_H
#define PROFLAB_BASE_EMBED_H

#include <stddef.h>

/* clang-format off */
#define EMBED(name, path)                                                      \
	__asm__(".pushsection .rodata.embed_" #name ",\"a\",%progbits\n"       \
		".balign 16\n"                                                 \
		".globl embed_" #name "\n.hidden embed_" #name "\n"            \
		"embed_" #name ":\n"                                           \
		".incbin \"" path "\"\n"                                       \
		".globl embed_" #name "_end\n.hidden embed_" #name "_end\n"    \
		"embed_" #name "_end:\n"                                       \
		".byte 0\n"                                                    \
		".popsection\n");                                              \
	EMBED_DECLARE(name)
/* clang-format on */

/* For another file that uses it. */
#define EMBED_DECLARE(name)                                                    \
	extern const char embed_##name[]                                       \
		__attribute__((visibility("hidden")));                         \
	extern const char embed_##name##_end[]                                 \
		__attribute__((visibility("hidden")))

#define EMBED_SIZE(name) ((size_t)(embed_##name##_end - embed_##name))

#endif
