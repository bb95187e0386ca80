/*
 * decode_fields.h - what the readers of profile.proto's messages share: the
 * decoder's state, its errors, and messages of plain fields read by tables.
 * Not for other folders.
 */
#ifndef PROFLAB_PROFILE_DECODE_FIELDS_H
#define PROFLAB_PROFILE_DECODE_FIELDS_H

#include "profile/ids.h"
#include "profile/wire.h"

struct err;

enum { DECODE_N_FIELDS = 16 };

/* Where the fields of one number lie, and how many and how large they are. */
struct stretch {
	const uint8_t *first, *end;
	size_t count, bytes;
};

struct decoder {
	struct profile *p;
	struct err *e;
	const uint8_t *data, *end;
	struct stretch fields[DECODE_N_FIELDS];
	uint32_t *strings; /* the file's index to ours */
	size_t n_strings, n_strings_read;
	struct ids mappings, functions, locations;
	size_t n_values; /* read so far */
};

/* ---- errors -------------------------------------------------------------- */

/* The two kinds that Go tells apart: not to be read, and read but not valid. */
#define PARSING	  "parsing profile"
#define MALFORMED "malformed profile"

/* "KIND: WHAT at byte N".  Returns: ERR_FORMAT. */
int decode_fail(const struct decoder *d, const uint8_t *at, const char *kind,
		const char *format, ...) __attribute__((format(printf, 4, 5)));
/* The texts of ERR_NOMEM and ERR_LIMIT.  Returns: rc. */
int decode_no_room(const struct decoder *d, int rc);
/* A field that is known has a wire type that it cannot have. */
int decode_wrong_type(const struct decoder *d, const struct wire_field *f,
		      const char *of, const char *name);

/* The field at *pos, which is moved behind it; `of` names the message. */
int decode_next_field(const struct decoder *d, const uint8_t **pos,
		      const uint8_t *end, const char *of,
		      struct wire_field *ret_field);

/* ---- messages of single fields, by table --------------------------------- */

enum kind { KIND_UNKNOWN, KIND_NUMBER, KIND_BOOL, KIND_STRING };

struct member {
	enum kind kind;
	size_t offset;
	const char *name;
};

struct message {
	const char *name;
	const struct member *members; /* by field number */
	size_t n;
};

#define NUMBER(type, m, name)                                                  \
	{                                                                      \
		KIND_NUMBER, offsetof(type, m), name                           \
	}
#define BOOL(type, m, name)                                                    \
	{                                                                      \
		KIND_BOOL, offsetof(type, m), name                             \
	}
#define STRING(type, m, name)                                                  \
	{                                                                      \
		KIND_STRING, offsetof(type, m), name                           \
	}
#define MESSAGE(name, members)                                                 \
	{                                                                      \
		name, members, ARRAY_SIZE(members)                             \
	}

/* The file's string index to ours. */
int decode_string_ref(const struct decoder *d, uint64_t index,
		      const uint8_t *at, const char *of, const char *name,
		      uint32_t *ret_string);
/* One field into *out; what the table does not know is passed over. */
int decode_member(const struct decoder *d, const struct message *m,
		  const struct wire_field *f, void *out);
/* All of them. */
int decode_message(const struct decoder *d, const struct message *m,
		   const uint8_t *pos, const uint8_t *end, void *out);

/* ---- the tables (decode_tables.c): each one field of a Profile ------------
 */

int decode_string(struct decoder *d, const struct wire_field *f);
int decode_sample_type(struct decoder *d, const struct wire_field *f);
int decode_period_type(struct decoder *d, const struct wire_field *f);
int decode_mapping(struct decoder *d, const struct wire_field *f);
int decode_function(struct decoder *d, const struct wire_field *f);
int decode_location(struct decoder *d, const struct wire_field *of);
int decode_comment(struct decoder *d, const struct wire_field *f);
/* A number or a string of the profile itself. */
int decode_scalar(struct decoder *d, const struct wire_field *f);

#endif
