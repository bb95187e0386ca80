/*
 * database.c - the workload of /database, mended.  solutions/database.md tells
 * the story and has the figures.
 *
 *   1 + N queries         one, in which the database does the joining
 *   a scan for each       an index on the column that is searched
 *   prepared every time   prepared once for a connection, bound anew
 *   N transactions        one
 *   N round trips         one
 *
 * The wall profile named the round trips, the CPU profile the scans and the
 * parser.  Mending one of the two alone would have left half of the waiting.
 */
#include "workloads/database.h"

#include "base/attr.h"
#include "base/err.h"
#include "workloads/database_file.h"
#include "workloads/pause.h"

#include <pthread.h>
#include <stdlib.h>

#define ROUND_TRIP_NS INT64_C(1000000)

/*
 * With it, SQLite finds an email in a B-tree of 10,000 in some 14 comparisons,
 * where it read 5,000 rows on average before.  Every write pays for it with an
 * entry in the tree: an index is bought, not free.
 */
static const char index_sql[] =
	"CREATE UNIQUE INDEX users_by_email ON users (email);";

/* The three queries, as sets: what is wanted, not how to go and fetch it. */
static const char *const query_sql[DATABASE_QUERIES] = {
	[DATABASE_SELECT] =
		"SELECT u.id, u.name, u.email, u.age, u.city, u.visits"
		" FROM sessions AS s JOIN users AS u ON u.email = s.email"
		" ORDER BY s.id DESC LIMIT ?",
	[DATABASE_INSERT] = "INSERT OR REPLACE INTO users"
			    " VALUES (?, ?, ?, ?, ?, ?)",
	[DATABASE_UPDATE] = "UPDATE users SET visits = visits + 1"
			    " WHERE email IN (SELECT email FROM sessions"
			    " ORDER BY id DESC LIMIT ?)",
};

/* A connection, and its queries: parsed and planned when it was opened. */
struct connection {
	sqlite3 *db;			       /* owned */
	sqlite3_stmt *stmts[DATABASE_QUERIES]; /* owned */
	struct connection *next;
};

struct database {
	struct database_file file;
	int64_t round_trip_ns;

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
	const int rc =
		database_file_create(&database->file, folder, index_sql, e);
	if (rc) {
		free(database);
		return rc;
	}
	database->round_trip_ns = round_trip_ns ? round_trip_ns : ROUND_TRIP_NS;
	pthread_mutex_init(&database->lock, NULL);
	*ret_database = database;
	return 0;
}

static void close_connection(struct connection *c)
{
	for (int i = 0; i < DATABASE_QUERIES; i++)
		sqlite3_finalize(c->stmts[i]);
	sqlite3_close(c->db);
	free(c);
}

void database_free(struct database *database)
{
	if (!database)
		return;
	while (database->idle) {
		struct connection *c = database->idle;
		database->idle = c->next;
		close_connection(c);
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

/*
 * All that can be done before the first request: open, parse, plan.
 * SQLITE_PREPARE_PERSISTENT tells SQLite that the statements will stay, so it
 * takes their memory from where it does not hurt.
 */
static int open_connection(struct database *database,
			   struct connection **ret_connection, struct err *e)
{
	struct connection *c = calloc(1, sizeof(*c));
	if (!c)
		return err_set(e, ERR_NOMEM, "database: out of memory");
	int rc = database_file_connect(&database->file, &c->db, e);
	for (int i = 0; i < DATABASE_QUERIES && !rc; i++)
		if (sqlite3_prepare_v3(c->db, query_sql[i], -1,
				       SQLITE_PREPARE_PERSISTENT, &c->stmts[i],
				       NULL) != SQLITE_OK)
			rc = database_file_error(c->db, query_sql[i], e);
	if (rc)
		close_connection(c);
	else
		*ret_connection = c;
	return rc;
}

static int take_connection(struct database *database,
			   struct connection **ret_connection, struct err *e)
{
	pthread_mutex_lock(&database->lock);
	struct connection *c = database->idle;
	if (c)
		database->idle = c->next;
	pthread_mutex_unlock(&database->lock);
	if (!c)
		return open_connection(database, ret_connection, e);
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

/* The journey is as long as before.  Only, it is made once. */
static ON_STACK void wait_for_round_trip(int64_t ns)
{
	pause_ns(ns);
}

/* One query, one journey, all rows: in the order of the sessions. */
static ON_STACK int select_users(struct database *database,
				 struct connection *c, int64_t records,
				 struct database_result *result, struct err *e)
{
	sqlite3_stmt *stmt = c->stmts[DATABASE_SELECT];
	result->rows = calloc((size_t)records + 1, sizeof(*result->rows));
	if (!result->rows)
		return err_set(e, ERR_NOMEM, "database: out of memory");
	wait_for_round_trip(database->round_trip_ns);
	sqlite3_bind_int64(stmt, 1, records);
	int step;
	while ((step = sqlite3_step(stmt)) == SQLITE_ROW &&
	       result->row_count < (size_t)records)
		database_file_read_user(stmt,
					&result->rows[result->row_count++]);
	const int rc = step == SQLITE_DONE
			       ? 0
			       : database_file_error(c->db, "reading users", e);
	sqlite3_reset(stmt);
	return rc;
}

/*
 * One statement is one transaction by itself.  The database finds the users,
 * changes them and says how many they were.
 */
static ON_STACK int update_users(struct database *database,
				 struct connection *c, int64_t records,
				 struct database_result *result, struct err *e)
{
	sqlite3_stmt *stmt = c->stmts[DATABASE_UPDATE];
	int rc = 0;
	wait_for_round_trip(2 * database->round_trip_ns);
	sqlite3_bind_int64(stmt, 1, records);
	if (sqlite3_step(stmt) == SQLITE_DONE)
		result->affected_rows = sqlite3_changes(c->db);
	else
		rc = database_file_error(c->db, "updating users", e);
	sqlite3_reset(stmt);
	return rc;
}

/*
 * Bound anew, run, reset: the statement is ready for the next row.  The texts
 * are bound without a copy (SQLITE_STATIC): they outlive the step.
 */
static int insert_user(struct connection *c, int64_t id, struct err *e)
{
	sqlite3_stmt *stmt = c->stmts[DATABASE_INSERT];
	struct database_user user;
	database_file_make_user(id, &user);
	sqlite3_bind_int64(stmt, 1, id);
	database_file_bind_user(stmt, &user);
	const int rc =
		sqlite3_step(stmt) == SQLITE_DONE
			? 0
			: database_file_error(c->db, "inserting users", e);
	sqlite3_reset(stmt);
	return rc;
}

static int run_sql(struct connection *c, const char *sql, struct err *e)
{
	if (sqlite3_exec(c->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		return database_file_error(c->db, sql, e);
	return 0;
}

/*
 * All rows in one transaction, with one prepared statement.  One INSERT with a
 * hundred rows of VALUES would save a little more, and would have to be
 * parsed anew for each number of rows.
 *
 * In one transaction means: the write lock is taken once, the log written
 * once, and either all of them are there afterwards or none.
 */
static ON_STACK int insert_users(struct database *database,
				 struct connection *c, int64_t records,
				 struct database_result *result, struct err *e)
{
	pthread_mutex_lock(&database->lock);
	const int64_t first = database->inserted;
	database->inserted += records;
	pthread_mutex_unlock(&database->lock);
	wait_for_round_trip(2 * database->round_trip_ns);
	int rc = run_sql(c, "BEGIN IMMEDIATE", e);
	if (rc)
		return rc;
	for (int64_t i = 0; i < records && !rc; i++) {
		rc = insert_user(
			c, DATABASE_USERS + 1 + (first + i) % DATABASE_USERS,
			e);
		if (!rc)
			result->affected_rows += sqlite3_changes(c->db);
	}
	if (rc)
		sqlite3_exec(c->db, "ROLLBACK", NULL, NULL, NULL);
	else
		rc = run_sql(c, "COMMIT", e);
	return rc;
}

/*
 * The request.  Where the faulty variant called a function for each record,
 * this one calls a function for each request; SQLite has the loop now, next to
 * the data.
 */
ON_STACK int simulate_database_operation(struct database *database,
					 enum database_query query,
					 int64_t records,
					 struct database_result *ret_result,
					 struct err *e)
{
	static int (*const operations[DATABASE_QUERIES])(
		struct database *, struct connection *, int64_t,
		struct database_result *, struct err *) = {
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
	rc = operations[query](database, c, records, &result, e);
	give_connection_back(database, c);
	if (rc)
		database_result_clear(&result);
	else
		*ret_result = result;
	return rc;
}
