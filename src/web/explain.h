/*
 * explain.h - why a profile may hold nothing, and what to do: by what it
 * measures.
 */
#ifndef PROFLAB_WEB_EXPLAIN_H
#define PROFLAB_WEB_EXPLAIN_H

struct profile;

struct explanation {
	const char *why; /* sentences for people */
	const char *todo;
	const char *command; /* to type, or "" */
};

/* By the types of p; there is always one. */
const struct explanation *explain_empty(const struct profile *p);

#endif
