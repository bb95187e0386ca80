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

enum { MAPS_BUILD_ID_MAX = 32 };

struct maps_row {
	uint64_t start, limit; /* [start, limit) */
	uint64_t offset;       /* in the file */
	char *path;   /* "" when anonymous; "[vdso]"; " (deleted)" cut */
	bool deleted; /* the file was unlinked or replaced */
	uint8_t build_id[MAPS_BUILD_ID_MAX];
	size_t build_id_len; /* 0 = none */
	uint64_t bias;	     /* address - bias = address in the ELF file */
};

struct maps {
	struct maps_row *rows; /* sorted by start; owned */
	size_t n;
};

/*
 * Read /proc/self/maps (pid 0) or another's.  The build id of an object of
 * this process is read from memory, so that a replaced file cannot lie.
 * The main program's row comes from its own place in the order of addresses;
 * maps_main finds it.
 * Returns: 0, ERR_IO, ERR_NOMEM.  Owns: the caller, maps_free.
 */
int maps_read(pid_t pid, struct maps *ret_maps, struct err *e);
void maps_free(struct maps *m);
/* The row that holds addr, or NULL. */
const struct maps_row *maps_find(const struct maps *m, uint64_t addr);
/* The first row of the main program, or NULL. */
const struct maps_row *maps_main(const struct maps *m);

/* Lower-case hex; out holds 2 * MAPS_BUILD_ID_MAX + 1.  Returns: out. */
char *maps_build_id_hex(const struct maps_row *row,
			char out[static 2 * MAPS_BUILD_ID_MAX + 1]);

#endif
