/*
 * database.c - the workload of /database, as the exercise gives it.
 *
 * The code asks its questions the way an object mapper does that was never
 * told about sets: first which, then each.  On the developer's machine, with
 * ten users and the database next door, it was fast.
 *
 * Two profiles of it disagree, and both are right:
 *
 *   proflab-pprof -top http://HOST/debug/pprof/profile?seconds=10
 *   proflab-pprof -top http://HOST/debug/pprof/wall?seconds=10
 *
 * The first counts what uses the processor, and shows SQLite reading rows and
 * parsing SQL.  The second counts what takes time, and shows something else.
 * The first is what you save your server; the second, what you save your user.
 */
#include "workloads/database.h"

#include "base/attr.h"
#include "base/err.h"
#include "workloads/database_file.h"
#include "workloads/pause.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

enum { EMAIL_TEXT = sizeof(((struct database_user *)0)->email) };
#define ROUND_TRIP_NS INT64_C(1000000)

/*
 * A connection serves one request at a time, then waits for the next.  To open
 * one means to open files and read the schema, so they are kept; this much the
 * code gets right.
 */
struct connection {
	sqlite3 *db; /* owned */
	struct connection *next;
};

struct database {
	struct database_file file;
	int64_t round_trip_ns; /* set at the start, then only read */

	pthread_mutex_t lock; /* guards all that follows; never held for long */
	struct connection *idle;
	int64_t inserted;
};

int database_create(const char *folder, int64_t round_trip_ns,
		    struct database **ret_database, struct err *e)
{
	struct database *database = calloc(1, sizeof(*database));
	if (!database)
		return err_set(e, ERR_NOMEM, "database: out of memory");
	const int rc = database_file_create(&database->file, folder, NULL, e);
	if (rc) {
		free(database);
		return rc;
	}
	database->round_trip_ns = round_trip_ns ? round_trip_ns : ROUND_TRIP_NS;
	pthread_mutex_init(&database->lock, NULL);
	*ret_database = database;
	return 0;
}

void database_free(struct database *database)
{
	if (!database)
		return;
	while (database->idle) {
		struct connection *c = database->idle;
		database->idle = c->next;
		sqlite3_close(c->db);
		free(c);
	}
	database_file_remove(&database->file);
	pthread_mutex_destroy(&database->lock);
	free(database);
}

void database_result_clear(struct database_result *result)
{
	free(result->rows);
	*result = (struct database_result){ 0 };
}

/* ---- connections ---- */

static int take_connection(struct database *database,
			   struct connection **ret_connection, struct err *e)
{
	pthread_mutex_lock(&database->lock);
	struct connection *c = database->idle;
	if (c)
		database->idle = c->next;
	pthread_mutex_unlock(&database->lock);
	if (!c) {
		c = calloc(1, sizeof(*c));
		if (!c)
			return err_set(e, ERR_NOMEM, "database: out of memory");
		const int rc =
			database_file_connect(&database->file, &c->db, e);
		if (rc) {
			free(c);
			return rc;
		}
	}
	*ret_connection = c;
	return 0;
}

static void give_connection_back(struct database *database,
				 struct connection *c)
{
	pthread_mutex_lock(&database->lock);
	c->next = database->idle;
	database->idle = c;
	pthread_mutex_unlock(&database->lock);
}

/* ---- queries ---- */

/*
 * The journey to a database server and back, which a query makes whether it
 * asks for one row or for a thousand.  The thread sleeps, as it would in
 * recv().
 */
static ON_STACK void wait_for_round_trip(int64_t ns)
{
	pause_ns(ns);
}

/*
 * SQL is text.  Before it can run it is parsed, the tables are looked up, and
 * a plan is made; sqlite3_prepare_v2 is all of that.  The profile knows how
 * much of a small query it is.
 */
static ON_STACK int prepare_query(sqlite3 *db, const char *sql,
				  sqlite3_stmt **ret_stmt, struct err *e)
{
	if (sqlite3_prepare_v2(db, sql, -1, ret_stmt, NULL) != SQLITE_OK)
		return database_file_error(db, sql, e);
	return 0;
}

/* SQL without an answer, from text to done: BEGIN, COMMIT. */
static int run_sql(sqlite3 *db, const char *sql, struct err *e)
{
	if (sqlite3_exec(db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return database_file_error(db, sql, e);
	return 0;
}

/* First question: who?  The emails of the newest sessions, newest first. */
static ON_STACK int find_session_emails(struct database *database, sqlite3 *db,
					int64_t records,
					char (*emails)[EMAIL_TEXT],
					size_t *ret_count, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	size_t count = 0;
	int rc = prepare_query(db,
			       "SELECT email FROM sessions"
			       " ORDER BY id DESC LIMIT ?",
			       &stmt, e);
	if (rc)
		return rc;
	wait_for_round_trip(database->round_trip_ns);
	sqlite3_bind_int64(stmt, 1, records);
	int step;
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW &&
	       count < (size_t)records) {
		const unsigned char *text = sqlite3_column_text(stmt, 0);
		strncpy(emails[count], text ? (const char *)text : "",
			EMAIL_TEXT - 1);
		count++;
	}
	if (step != SQLITE_DONE)
		rc = database_file_error(db, "reading sessions", e);
	else
		*ret_count = count;
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * Second question, once for each of them: what is the user with this email?
 *
 * How SQLite finds out is its own affair; EXPLAIN QUERY PLAN would tell, and
 * so does the time that one query takes when the table has ten times as many
 * rows.
 */
static ON_STACK int select_user(struct database *database, sqlite3 *db,
				const char *email, struct database_user *user,
				struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare_query(db,
			       "SELECT id, name, email, age, city, visits"
			       " FROM users WHERE email = ? LIMIT 1",
			       &stmt, e);
	if (rc)
		return rc;
	wait_for_round_trip(database->round_trip_ns);
	sqlite3_bind_text(stmt, 1, email, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW)
		database_file_read_user(stmt, user);
	else
		rc = database_file_error(db, "reading a user", e);
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * One row written.  BEGIN and COMMIT around it make it safe: either the row is
 * there afterwards, or it is not.  A transaction is also where a database does
 * its most expensive work: it takes the only write lock, writes its log, and
 * lets the others in again.
 */
static ON_STACK int write_row(struct database *database, sqlite3 *db,
			      sqlite3_stmt *stmt, struct err *e)
{
	wait_for_round_trip(2 * database->round_trip_ns);
	int rc = run_sql(db, "BEGIN IMMEDIATE", e);
	if (rc)
		return rc;
	if (sqlite3_step(stmt) != SQLITE_DONE)
		rc = database_file_error(db, "writing a row", e);
	sqlite3_reset(stmt);
	if (rc)
		sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
	else
		rc = run_sql(db, "COMMIT", e);
	return rc;
}

/* As select_user, but for the change of one row. */
static ON_STACK int update_user(struct database *database, sqlite3 *db,
				const char *email, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare_query(db,
			       "UPDATE users SET visits = visits + 1"
			       " WHERE email = ?",
			       &stmt, e);
	if (rc)
		return rc;
	sqlite3_bind_text(stmt, 1, email, -1, SQLITE_STATIC);
	rc = write_row(database, db, stmt, e);
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * A new user, or the one with that number anew: see insert_users for why there
 * may be one.
 */
static ON_STACK int insert_user(struct database *database, sqlite3 *db,
				int64_t id, struct err *e)
{
	sqlite3_stmt *stmt = NULL;
	int rc = prepare_query(db,
			       "INSERT OR REPLACE INTO users"
			       " VALUES (?, ?, ?, ?, ?, ?)",
			       &stmt, e);
	if (rc)
		return rc;
	struct database_user user;
	database_file_make_user(id, &user);
	sqlite3_bind_int64(stmt, 1, id);
	database_file_bind_user(stmt, &user);
	rc = write_row(database, db, stmt, e);
	sqlite3_finalize(stmt);
	return rc;
}

/*
 * ---- the three kinds of request ----
 *
 * Each of these functions is short, and does what its name says by calling the
 * one above it in a loop.  That is good style nearly everywhere.  Count what
 * happens in one turn of the loop, on the way down: journeys, parsers, rows.
 */

/* The list, then each of its members. */
static ON_STACK int select_users(struct database *database, sqlite3 *db,
				 int64_t records,
				 struct database_result *result, struct err *e)
{
	size_t count = 0;
	char(*emails)[EMAIL_TEXT] = calloc((size_t)records + 1, EMAIL_TEXT);
	result->rows = calloc((size_t)records + 1, sizeof(*result->rows));
	int rc = emails && result->rows
			 ? 0
			 : err_set(e, ERR_NOMEM, "database: out of memory");
	if (!rc)
		rc = find_session_emails(database, db, records, emails, &count,
					 e);
	for (size_t i = 0; i < count && !rc; i++)
		rc = select_user(database, db, emails[i], &result->rows[i], e);
	result->row_count = count;
	free(emails);
	return rc;
}

/* The same list, and a visit more for each of its members. */
static ON_STACK int update_users(struct database *database, sqlite3 *db,
				 int64_t records,
				 struct database_result *result, struct err *e)
{
	size_t count = 0;
	char(*emails)[EMAIL_TEXT] = calloc((size_t)records + 1, EMAIL_TEXT);
	if (!emails)
		return err_set(e, ERR_NOMEM, "database: out of memory");
	int rc = find_session_emails(database, db, records, emails, &count, e);
	for (size_t i = 0; i < count && !rc; i++) {
		rc = update_user(database, db, emails[i], e);
		if (!rc)
			result->affected_rows += sqlite3_changes(db);
	}
	free(emails);
	return rc;
}

/*
 * Numbers above those of the first users, and after 10,000 of them from the
 * beginning again: the exercise may run all night, and the file stays small.
 */
static ON_STACK int insert_users(struct database *database, sqlite3 *db,
				 int64_t records,
				 struct database_result *result, struct err *e)
{
	pthread_mutex_lock(&database->lock);
	const int64_t first = database->inserted;
	database->inserted += records;
	pthread_mutex_unlock(&database->lock);
	int rc = 0;
	for (int64_t i = 0; i < records && !rc; i++) {
		const int64_t id =
			DATABASE_USERS + 1 + (first + i) % DATABASE_USERS;
		rc = insert_user(database, db, id, e);
		if (!rc)
			result->affected_rows += sqlite3_changes(db);
	}
	return rc;
}

/*
 * The request.  In a profile, the operation's own function stands right below
 * this one, so `-peek=simulate_database` shows how the time is shared between
 * the three.
 */
ON_STACK int simulate_database_operation(struct database *database,
					 enum database_query query,
					 int64_t records,
					 struct database_result *ret_result,
					 struct err *e)
{
	static int (*const operations[DATABASE_QUERIES])(
		struct database *, sqlite3 *, int64_t, struct database_result *,
		struct err *) = {
		[DATABASE_SELECT] = select_users,
		[DATABASE_INSERT] = insert_users,
		[DATABASE_UPDATE] = update_users,
	};
	if ((unsigned)query >= DATABASE_QUERIES || records < 0 ||
	    records > DATABASE_RECORDS_MAX)
		return err_set(e, ERR_INVALID,
			       "database: no such query, or records not in "
			       "0 .. %d",
			       DATABASE_RECORDS_MAX);
	struct connection *c = NULL;
	int rc = take_connection(database, &c, e);
	if (rc)
		return rc;
	struct database_result result = { 0 };
	rc = operations[query](database, c->db, records, &result, e);
	give_connection_back(database, c);
	if (rc)
		database_result_clear(&result);
	else
		*ret_result = result;
	return rc;
}
