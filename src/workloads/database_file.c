/* database_file.c - see database_file.h. */
#include "workloads/database_file.h"

#include "base/attr.h"
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	BUSY_TIMEOUT_MS = 30000, /* a writer may have to queue for long */
};

/*
 * A write-ahead log lets readers read while one writes.  Losing the last
 * transactions in a power cut is no loss here, so nothing waits for the disk:
 * the exercise's times must not depend on what disk a learner has.
 */
static const char setup_sql[] =
	"PRAGMA journal_mode=WAL;"
	"CREATE TABLE users (id INTEGER PRIMARY KEY, name TEXT NOT NULL,"
	"  email TEXT NOT NULL, age INTEGER NOT NULL, city TEXT NOT NULL,"
	"  visits INTEGER NOT NULL);"
	"CREATE TABLE sessions (id INTEGER PRIMARY KEY, email TEXT NOT NULL);";

int database_file_error(sqlite3 *db, const char *what, struct err *e)
{
	const int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
	const char *text = db ? sqlite3_errmsg(db) : "out of memory";
	return err_set(e, code == SQLITE_NOMEM ? ERR_NOMEM : ERR_IO,
		       "database: %s: %s", what, text);
}

void database_file_make_user(int64_t id, struct database_user *user)
{
	static const char *const first[] = { "Ada",    "Alan",	 "Barbara",
					     "Dennis", "Edsger", "Frances",
					     "Grace",  "Ken",	 "Margaret",
					     "Niklaus" };
	static const char *const cities[] = { "Basel",	"Genoa", "Ghent",
					      "Kraków", "Lyon",	 "Porto",
					      "Turku" };
	memset(user, 0, sizeof(*user));
	user->id = id;
	snprintf(user->name, sizeof(user->name), "%s %lld", first[id % 10],
		 (long long)id);
	snprintf(user->email, sizeof(user->email), "user%lld@example.org",
		 (long long)id);
	user->age = 18 + (int)(id * 13 % 70);
	snprintf(user->city, sizeof(user->city), "%s", cities[id % 7]);
}

int database_file_bind_user(sqlite3_stmt *stmt,
			    const struct database_user *user)
{
	int rc = sqlite3_bind_text(stmt, 2, user->name, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 3, user->email, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int(stmt, 4, user->age);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_text(stmt, 5, user->city, -1, SQLITE_STATIC);
	if (rc == SQLITE_OK)
		rc = sqlite3_bind_int64(stmt, 6, user->visits);
	return rc;
}

static void copy_text(sqlite3_stmt *stmt, int column, char *to, size_t size)
{
	const unsigned char *text = sqlite3_column_text(stmt, column);
	snprintf(to, size, "%s", text ? (const char *)text : "");
}

void database_file_read_user(sqlite3_stmt *stmt, struct database_user *user)
{
	user->id = sqlite3_column_int64(stmt, 0);
	copy_text(stmt, 1, user->name, sizeof(user->name));
	copy_text(stmt, 2, user->email, sizeof(user->email));
	user->age = sqlite3_column_int(stmt, 3);
	copy_text(stmt, 4, user->city, sizeof(user->city));
	user->visits = sqlite3_column_int64(stmt, 5);
}

int database_file_connect(const struct database_file *file, sqlite3 **ret_db,
			  struct err *e)
{
	sqlite3 *db = NULL;
	const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
			  SQLITE_OPEN_NOMUTEX;
	int rc = 0;
	if (sqlite3_open_v2(file->path, &db, flags, NULL) != SQLITE_OK ||
	    sqlite3_busy_timeout(db, BUSY_TIMEOUT_MS) != SQLITE_OK ||
	    sqlite3_exec(db, "PRAGMA synchronous=OFF", NULL, NULL, NULL) !=
		    SQLITE_OK) {
		rc = database_file_error(db, file->path, e);
		sqlite3_close(db);
		return rc;
	}
	*ret_db = db;
	return 0;
}

/* 10,000 users; and sessions that visit them out of order, each once. */
static int fill_tables(sqlite3 *db)
{
	sqlite3_stmt *add_user = NULL, *add_session = NULL;
	int rc =
		sqlite3_prepare_v2(db, "INSERT INTO users VALUES (?,?,?,?,?,?)",
				   -1, &add_user, NULL);
	if (rc == SQLITE_OK)
		rc = sqlite3_prepare_v2(db, "INSERT INTO sessions VALUES (?,?)",
					-1, &add_session, NULL);
	for (int64_t i = 1; i <= DATABASE_USERS && rc == SQLITE_OK; i++) {
		struct database_user user;
		database_file_make_user(i, &user);
		sqlite3_bind_int64(add_user, 1, i);
		rc = database_file_bind_user(add_user, &user);
		if (rc == SQLITE_OK && sqlite3_step(add_user) != SQLITE_DONE)
			rc = SQLITE_ERROR;
		sqlite3_reset(add_user);

		/* 7919 is prime, so every user comes up once. */
		database_file_make_user(i * 7919 % DATABASE_USERS + 1, &user);
		sqlite3_bind_int64(add_session, 1, i);
		sqlite3_bind_text(add_session, 2, user.email, -1,
				  SQLITE_STATIC);
		if (rc == SQLITE_OK && sqlite3_step(add_session) != SQLITE_DONE)
			rc = SQLITE_ERROR;
		sqlite3_reset(add_session);
	}
	sqlite3_finalize(add_user);
	sqlite3_finalize(add_session);
	return rc;
}

static int fill_file(const struct database_file *file, const char *extra_sql,
		     struct err *e)
{
	sqlite3 *db = NULL;
	int rc = database_file_connect(file, &db, e);
	if (rc)
		return rc;
	if (sqlite3_exec(db, setup_sql, NULL, NULL, NULL) != SQLITE_OK ||
	    sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK ||
	    fill_tables(db) != SQLITE_OK ||
	    (extra_sql &&
	     sqlite3_exec(db, extra_sql, NULL, NULL, NULL) != SQLITE_OK) ||
	    sqlite3_exec(db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
		rc = database_file_error(db, "making the tables", e);
	sqlite3_close(db);
	return rc;
}

int database_file_create(struct database_file *file, const char *folder,
			 const char *extra_sql, struct err *e)
{
	if (!folder)
		folder = getenv("TMPDIR");
	if (!folder || !*folder)
		folder = "/tmp";
	const int length = snprintf(file->folder, sizeof(file->folder),
				    "%s/proflab-db.XXXXXX", folder);
	if (length < 0 || (size_t)length >= sizeof(file->folder))
		return err_set(e, ERR_INVALID,
			       "database: the folder's name is longer than "
			       "%zu bytes",
			       sizeof(file->folder) - 20);
	if (!mkdtemp(file->folder))
		return err_set(e, ERR_IO, "database: %s: %s", file->folder,
			       strerror(errno));
	snprintf(file->path, sizeof(file->path), "%s/users.db", file->folder);
	const int rc = fill_file(file, extra_sql, e);
	if (rc)
		database_file_remove(file);
	return rc;
}

void database_file_remove(const struct database_file *file)
{
	static const char *const suffixes[] = { "", "-wal", "-shm",
						"-journal" };
	const int saved = errno;
	for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
		char path[320];
		snprintf(path, sizeof(path), "%s%s", file->path, suffixes[i]);
		unlink(path);
	}
	rmdir(file->folder);
	errno = saved;
}
