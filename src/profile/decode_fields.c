/* decode_fields.c - see decode_fields.h. */
#include "profile/decode_fields.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

COLD int decode_fail(const struct decoder *d, const uint8_t *at,
		     const char *kind, const char *format, ...)
{
	char what[256];
	va_list ap;
	va_start(ap, format);
	vsnprintf(what, sizeof(what), format, ap);
	va_end(ap);
	return err_set(d->e, ERR_FORMAT, "%s: %s at byte %td", kind, what,
		       at - d->data);
}

COLD int decode_no_room(const struct decoder *d, int rc)
{
	if (rc == ERR_LIMIT)
		return err_set(d->e, rc,
			       "the profile needs more memory than the limit "
			       "of %zu bytes",
			       d->p->priv->max);
	return err_set(d->e, rc, "out of memory");
}

int decode_next_field(const struct decoder *d, const uint8_t **pos,
		      const uint8_t *end, const char *of,
		      struct wire_field *ret_field)
{
	const char *wrong;
	const uint8_t *next = wire_field(*pos, end, ret_field, &wrong);
	if (UNLIKELY(!next))
		return decode_fail(d, *pos, PARSING, "%s in %s", wrong, of);
	*pos = next;
	return 0;
}

int decode_wrong_type(const struct decoder *d, const struct wire_field *f,
		      const char *of, const char *name)
{
	return decode_fail(d, f->at, PARSING,
			   "type mismatch: %s.%s has wire type %d", of, name,
			   (int)f->type);
}

int decode_string_ref(const struct decoder *d, uint64_t index,
		      const uint8_t *at, const char *of, const char *name,
		      uint32_t *ret_string)
{
	if (UNLIKELY(index >= d->n_strings))
		return decode_fail(d, at, PARSING,
				   "malformed profile format: %s.%s is string "
				   "%" PRId64 " of %zu",
				   of, name, (int64_t)index, d->n_strings);
	*ret_string = d->strings[index];
	return 0;
}

int decode_member(const struct decoder *d, const struct message *m,
		  const struct wire_field *f, void *out)
{
	if (f->number >= m->n || m->members[f->number].kind == KIND_UNKNOWN)
		return 0; /* from a later profile.proto: passed over */
	const struct member *member = &m->members[f->number];
	char *to = (char *)out + member->offset;
	if (f->type != WIRE_VARINT)
		return decode_wrong_type(d, f, m->name, member->name);
	uint32_t string = 0;
	switch (member->kind) {
	case KIND_NUMBER:
		memcpy(to, &f->value, sizeof(f->value));
		break;
	case KIND_BOOL:
		*(bool *)to = f->value != 0;
		break;
	case KIND_STRING: {
		const int rc = decode_string_ref(d, f->value, f->at, m->name,
						 member->name, &string);
		if (rc)
			return rc;
		memcpy(to, &string, sizeof(string));
		break;
	}
	case KIND_UNKNOWN:
		break;
	}
	return 0;
}

int decode_message(const struct decoder *d, const struct message *m,
		   const uint8_t *pos, const uint8_t *end, void *out)
{
	int rc = 0;
	while (!rc && pos < end) {
		struct wire_field f;
		rc = decode_next_field(d, &pos, end, m->name, &f);
		if (!rc)
			rc = decode_member(d, m, &f, out);
	}
	return rc;
}
