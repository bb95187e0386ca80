/*
 * maps.h - what is mapped where in a process: the executable rows of
 * /proc/PID/maps, with build ids.
 */
#ifndef PROFLAB_SYMBOL_MAPS_H
#define PROFLAB_SYMBOL_MAPS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct err;

enum { MAPS_BUILD_ID_MAX = 32, MAPS_ROWS_MAX = 1 << 18 };

struct maps_row {
	uint64_t start, limit; /* [start, limit) */
	uint64_t offset;       /* in the file */
	char *path;   /* "" when anonymous; "[vdso]"; " (deleted)" cut */
	bool deleted; /* the file was unlinked or replaced */
	uint8_t build_id[MAPS_BUILD_ID_MAX]; /* a longer one is cut */
	size_t build_id_len;		     /* 0 = none */
	uint64_t bias;	/* address - bias = address in the ELF file */
	uint64_t inode; /* 0 = not a file */
	/*
	 * A fingerprint of the ELF header and program headers in memory; 0 =
	 * could not be read.  It tells objects without a build id apart.
	 */
	uint64_t headers;
	uint64_t dynamic; /* address of its PT_DYNAMIC; 0 = none known */
};

struct maps {
	struct maps_row *rows; /* sorted by start; owned */
	size_t n;
	size_t main; /* the main program's first row, or n */
};

/*
 * Read /proc/self/maps (pid 0) or another's.  Build ids and biases come from
 * the object's memory, so that a replaced file cannot lie: for this process
 * through dl_iterate_phdr, which holds the loader's lock meanwhile, and for
 * another, or what the loader does not know, through process_vm_readv.
 * Text that was copied to anonymous memory (huge pages) keeps its object's
 * name and file offset.
 * Returns: 0, ERR_IO, ERR_NOMEM.  Owns: the caller, maps_free.
 * Signal: unsafe.  Thread: any.
 */
int maps_read(pid_t pid, struct maps *ret_maps, struct err *e);
void maps_free(struct maps *m);
/* The row that holds addr, or NULL. */
const struct maps_row *maps_find(const struct maps *m, uint64_t addr);
/* The first row of the main program, or NULL. */
const struct maps_row *maps_main(const struct maps *m);
/* Are they the same piece of the same object at the same place? */
bool maps_same_row(const struct maps_row *a, const struct maps_row *b);

/* Lower-case hex; out holds 2 * MAPS_BUILD_ID_MAX + 1.  Returns: out. */
char *maps_build_id_hex(const struct maps_row *row,
			char out[static 2 * MAPS_BUILD_ID_MAX + 1]);

#endif
