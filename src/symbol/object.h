/*
 * object.h - one ELF file, asked for the function, file, line and inlined
 * calls at an address.
 *
 * DWARF is indexed a unit at a time, on first use: its functions and inlined
 * calls become one sorted table of intervals, so that a look-up costs
 * a microsecond where libdw's own walk costs milliseconds.  Separate debug
 * files are found by build id and by .gnu_debuglink below /usr/lib/debug;
 * debuginfod is never asked.  Without DWARF, .symtab or else .dynsym serve,
 * and the stubs of the procedure linkage table are named "NAME@plt".
 */
#ifndef PROFLAB_SYMBOL_OBJECT_H
#define PROFLAB_SYMBOL_OBJECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct object;

/* Strings live as long as the object that gave them. */
struct object_frame {
	const char *function;	 /* demangled; never NULL, never "" */
	const char *system_name; /* as linked (mangled) */
	const char *file;	 /* absolute, normalised; "" = unknown */
	int line;		 /* 0 = unknown */
	int start_line;		 /* of the function; 0 = unknown */
};

struct object_options {
	/* Where separate debug files lie; NULL = /usr/lib/debug, "" = none. */
	const char *debug_root;
	/* The file must have this build id; NULL = any. */
	const uint8_t *build_id;
	size_t build_id_len;
	/*
	 * Where neither side has a build id: the program headers' fingerprint
	 * (maps_row.headers) that the file must have; 0 = any.
	 */
	uint64_t headers;
};

/*
 * build_id may be NULL; when given, a file with another one is refused
 * (ERR_NOTFOUND), for it is not what ran.
 * Returns: 0, ERR_IO, ERR_FORMAT (not an ELF file), ERR_NOTFOUND, ERR_NOMEM.
 * Thread: an object serves one thread at a time.
 */
int object_open(const char *path, const uint8_t *build_id, size_t build_id_len,
		struct object **ret_object, struct err *e);
/* The same, with more said; options may be NULL. */
int object_open_with(const char *path, const struct object_options *options,
		     struct object **ret_object, struct err *e);
/* From an image in memory that stays (the vdso).  Same errors. */
int object_open_memory(const void *image, size_t len, const char *name,
		       struct object **ret_object, struct err *e);
/*
 * For a row of this process whose file cannot be had any more: the dynamic
 * symbols in its memory.  Returns: 0, ERR_NOTFOUND, ERR_NOMEM.
 */
struct maps_row;
int object_open_loaded(const struct maps_row *row, struct object **ret_object);
void object_close(struct object *o);

/*
 * Find and open the file of a mapping, for a profile that came from elsewhere,
 * in the order of `go tool pprof`: in each folder of search_path
 * (colon-separated; NULL means $PPROF_BINARY_PATH, or else
 * $HOME/pprof/binaries) FOLDER/BUILDID/NAME, any FOLDER/BUILDID file,
 * FOLDER/PATH/BUILDID, FOLDER/NAME, FOLDER/PATH; then the path itself; then the
 * debug file of that build id.
 * path may be ""; build_id_len 0 takes any file of the name.
 * Returns: 0, ERR_NOTFOUND, ERR_NOMEM.
 */
int object_search(const char *search_path, const char *path,
		  const uint8_t *build_id, size_t build_id_len,
		  struct object **ret_object, struct err *e);

/*
 * The frames at addr (an address of the ELF file, bias subtracted; for a
 * return address the caller passes it minus 1), innermost inlined call first,
 * the function that was really called last.  A chain longer than max loses
 * calls from its middle, never that function.
 * Returns: how many frames were written, at most max; 0 when nothing is known.
 */
size_t object_lookup(struct object *o, uint64_t addr,
		     struct object_frame *frames, size_t max);

/*
 * For an object that is loaded and has only dynamic symbols: name what its
 * indirect functions lead to.  In a stripped libc, memcpy and strlen are
 * resolvers; the code that runs is chosen for the processor and has no symbol.
 * resolve gives the chosen address (bias subtracted), or 0.
 */
void object_name_indirect(struct object *o,
			  uint64_t (*resolve)(void *arg, const char *name),
			  void *arg);

/* Does it have line information, or only names? */
bool object_has_lines(const struct object *o);
/* Its build id's length, and where. */
size_t object_build_id(const struct object *o, const uint8_t **ret_bytes);
/* The file that was opened. */
const char *object_path(const struct object *o);

/*
 * The function that `name` names, by its linked or its demangled name, with
 * or without the parameters; for -symbolize and -disasm.
 * Returns: 0 or ERR_NOTFOUND.
 */
int object_find_function(struct object *o, const char *name,
			 uint64_t *ret_start, uint64_t *ret_size);
/*
 * The linked function that holds addr, by the symbol tables.
 * Returns: 0 or ERR_NOTFOUND.
 */
int object_function_range(struct object *o, uint64_t addr, uint64_t *ret_start,
			  uint64_t *ret_size);

#endif
