/*
 * params.h - what a route takes: its parameters with their ranges, as data,
 * and values that were checked against them.
 */
#ifndef PROFLAB_SERVER_PARAMS_H
#define PROFLAB_SERVER_PARAMS_H

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

enum { PARAMS_MAX = 2, PARAM_TEXT_MAX = 64 };

enum param_kind {
	PARAM_INT,
	PARAM_DURATION, /* "60s", in nanoseconds */
	PARAM_CHOICE,	/* one of names, by its index */
	PARAM_TEXT,	/* 1 to PARAM_TEXT_MAX bytes of UTF-8 */
};

struct param {
	const char *name; /* NULL ends a list */
	enum param_kind kind;
	int64_t min, max;	  /* PARAM_INT, PARAM_DURATION */
	int64_t fallback;	  /* when it is not given */
	const char *text;	  /* PARAM_TEXT: when it is not given */
	const char *const *names; /* PARAM_CHOICE */
	size_t n_names;
};

struct param_value {
	int64_t number;
	char text[PARAM_TEXT_MAX + 1];
};

/*
 * text as the request has it; NULL or "" when it does not.
 * Returns: 0; ERR_INVALID with *ret_error an object that says in `error` what
 * is wrong, in `parameter` which, and what is allowed (minimum and maximum, or
 * allowed); it is the caller's.
 */
int param_parse(const struct param *p, const char *text,
		struct param_value *ret_value, json_t **ret_error);

#endif
