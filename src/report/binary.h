/*
 * binary.h - the file behind a mapping of a profile, for those who need its
 * symbols or its instructions.
 */
#ifndef PROFLAB_REPORT_BINARY_H
#define PROFLAB_REPORT_BINARY_H

#include <stdint.h>

struct err;
struct object;
struct profile;
struct profile_mapping;

struct binary {
	struct object *object; /* owned */
	uint64_t bias;	       /* address of the profile - bias = of the file */
};

/*
 * Found as object_search does it, by name and build id.
 * Returns: 0, ERR_NOTFOUND, ERR_NOMEM.  Owns: the caller, binary_close.
 */
int binary_open(const struct profile *p, const struct profile_mapping *m,
		struct binary *ret_binary, struct err *e);
void binary_close(struct binary *b);

#endif
