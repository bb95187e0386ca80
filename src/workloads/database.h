/*
 * database.h - the workload of /database: a real SQLite database of 10,000
 * users and their sessions, in a folder of its own.
 *
 * src/workloads/database.c is the variant that the exercise gives the learner;
 * solutions/database.c is its fixed twin (--with-fixed).
 *
 *   select   the users of the `records` newest sessions, in that order
 *   insert   `records` further users, over those inserted longest ago once
 *            10,000 have been (so the file stays bounded)
 *   update   counts one visit more for the users of those sessions
 *
 * SQLite runs inside the process, so what a database costs elsewhere, the
 * journey to the server and back, is played by a sleep at every query: 1 ms,
 * and 2 ms when it writes.
 */
#ifndef PROFLAB_WORKLOADS_DATABASE_H
#define PROFLAB_WORKLOADS_DATABASE_H

#include <stddef.h>
#include <stdint.h>

struct err;

enum {
	DATABASE_RECORDS_DEFAULT = 100,
	DATABASE_RECORDS_MAX = 1000,
	DATABASE_USERS = 10000, /* at the start */
};

enum database_query {
	DATABASE_SELECT,
	DATABASE_INSERT,
	DATABASE_UPDATE,
	DATABASE_QUERIES, /* how many there are; not a query */
};

/* As the route's `type` parameter spells them. */
static const char *const database_query_names[DATABASE_QUERIES]
	__attribute__((unused)) = { "select", "insert", "update" };

struct database_user {
	int64_t id;
	char name[32];
	char email[48];
	int age;
	char city[24];
	int64_t visits;
};

struct database_result {
	struct database_user *rows; /* owned; select only, else NULL */
	size_t row_count;	    /* select */
	int64_t affected_rows;	    /* insert, update */
};

/* Opaque: each variant has its own. */
struct database;

/*
 * Make the database in a new folder below `folder` (NULL: $TMPDIR, or /tmp)
 * and fill it.  round_trip_ns is the journey of a query that reads (0: 1 ms);
 * one that writes takes twice as long.  Takes some 100 ms.
 *
 * Owns: the caller; database_free.
 * Returns: 0, ERR_NOMEM, ERR_IO (the text says what SQLite said).
 */
int database_create(const char *folder, int64_t round_trip_ns,
		    struct database **ret_database, struct err *e);

/* Close it and delete its folder.  NULL is allowed.  Thread: the last user. */
void database_free(struct database *database);

/*
 * One request.  records must be in [0, DATABASE_RECORDS_MAX].
 *
 * Thread: any number at once.
 * Blocks: for the queries' round trips; on SQLite's locks.
 * Owns: the caller, *ret_result; database_result_clear.
 * Returns: 0, ERR_INVALID, ERR_NOMEM, ERR_IO, with text.
 */
int simulate_database_operation(struct database *database,
				enum database_query query, int64_t records,
				struct database_result *ret_result,
				struct err *e);

/* Free the rows; the struct may be used again. */
void database_result_clear(struct database_result *result);

#endif
