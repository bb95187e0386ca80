/* params.c - see params.h. */
#include "server/params.h"

#include "base/err.h"
#include "base/parse.h"

#include <stdbool.h>
#include <string.h>

/* Cut where it is not UTF-8, which JSON could not say. */
static json_t *json_value_given(const char *text)
{
	json_t *value = json_string(text);
	return value ? value : json_string("(not UTF-8)");
}

static json_t *refusal(const struct param *p, const char *given,
		       const char *text)
{
	json_t *error = json_pack("{s:o, s:s, s:o}", "error",
				  json_value_given(text), "parameter", p->name,
				  "value", json_value_given(given));
	if (!error)
		return NULL;
	char duration[PARSE_DURATION_TEXT];
	json_t *allowed;
	switch (p->kind) {
	case PARAM_INT:
		json_object_set_new(error, "minimum", json_integer(p->min));
		json_object_set_new(error, "maximum", json_integer(p->max));
		break;
	case PARAM_DURATION:
		json_object_set_new(
			error, "minimum",
			json_string(format_duration(p->min, duration)));
		json_object_set_new(
			error, "maximum",
			json_string(format_duration(p->max, duration)));
		break;
	case PARAM_CHOICE:
		allowed = json_array();
		for (size_t i = 0; i < p->n_names; i++)
			json_array_append_new(allowed,
					      json_string(p->names[i]));
		json_object_set_new(error, "allowed", allowed);
		break;
	case PARAM_TEXT:
		json_object_set_new(error, "minimum_length", json_integer(1));
		json_object_set_new(error, "maximum_length",
				    json_integer(PARAM_TEXT_MAX));
		break;
	}
	return error;
}

static int parse_choice(const struct param *p, const char *text,
			int64_t *ret_index, struct err *e)
{
	for (size_t i = 0; i < p->n_names; i++)
		if (strcmp(p->names[i], text) == 0) {
			*ret_index = (int64_t)i;
			return 0;
		}
	err_set(e, ERR_INVALID, "%s is \"%.80s\": must be one of", p->name,
		text);
	for (size_t i = 0; i < p->n_names; i++) {
		struct err head = *e;
		err_set(e, ERR_INVALID, "%.400s%s%s", head.text, i ? ", " : " ",
			p->names[i]);
	}
	return ERR_INVALID;
}

static int parse_text(const struct param *p, const char *text,
		      struct param_value *v, struct err *e)
{
	const size_t n = strlen(text);
	json_t *valid = json_stringn(text, n);
	if (!valid || n > PARAM_TEXT_MAX) {
		json_decref(valid);
		return err_set(e, ERR_INVALID,
			       "%s must be 1 to %d bytes of UTF-8", p->name,
			       PARAM_TEXT_MAX);
	}
	json_decref(valid);
	memcpy(v->text, text, n + 1);
	return 0;
}

int param_parse(const struct param *p, const char *text,
		struct param_value *ret_value, json_t **ret_error)
{
	struct param_value v = { .number = p->fallback };
	struct err e = { "" };
	int rc = 0;
	const bool given = text && *text;
	switch (p->kind) {
	case PARAM_INT:
		if (given)
			rc = parse_int(text, p->name, p->min, p->max, &v.number,
				       &e);
		break;
	case PARAM_DURATION:
		if (given)
			rc = parse_duration(text, p->name, p->min, p->max,
					    &v.number, &e);
		break;
	case PARAM_CHOICE:
		if (given)
			rc = parse_choice(p, text, &v.number, &e);
		break;
	case PARAM_TEXT:
		rc = parse_text(p, given ? text : p->text, &v, &e);
		break;
	}
	if (rc) {
		*ret_error = refusal(p, text, e.text);
		return rc;
	}
	*ret_value = v;
	return 0;
}
