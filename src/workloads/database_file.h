/*
 * database_file.h - what both variants of the database workload stand on: the
 * file, its tables and the users in them, connections to it.
 *
 *   users(id, name, email, age, city, visits)     10,000 of them, id from 1
 *   sessions(id, email)                           10,000, the newest last
 *
 * The users are made by arithmetic from their number: every server has the
 * same ones, so answers can be compared.
 */
#ifndef PROFLAB_WORKLOADS_DATABASE_FILE_H
#define PROFLAB_WORKLOADS_DATABASE_FILE_H

#include "workloads/database.h"

#include <sqlite3.h>

struct database_file {
	char folder[256];
	char path[288];
};

/*
 * Make the folder, the file, the tables and their rows; then run extra_sql
 * (NULL: nothing).
 * Owns: the caller; database_file_remove.
 * Returns: 0, ERR_INVALID (the folder's name is too long), ERR_IO.
 */
int database_file_create(struct database_file *file, const char *folder,
			 const char *extra_sql, struct err *e);

/* Delete the file, what SQLite put beside it, and the folder. */
void database_file_remove(const struct database_file *file);

/*
 * A connection: to be used by one thread at a time.
 * Owns: the caller; sqlite3_close.
 * Returns: 0, ERR_IO.
 */
int database_file_connect(const struct database_file *file, sqlite3 **ret_db,
			  struct err *e);

/* User number id as it is before anybody changes it. */
void database_file_make_user(int64_t id, struct database_user *user);

/*
 * Read a row whose columns are id, name, email, age, city, visits.
 */
void database_file_read_user(sqlite3_stmt *stmt, struct database_user *user);

/* Bind the columns name, email, age, city, visits to parameters 2 to 6. */
int database_file_bind_user(sqlite3_stmt *stmt,
			    const struct database_user *user);

/* err_set with what SQLite says.  Returns: ERR_NOMEM or ERR_IO. */
int database_file_error(sqlite3 *db, const char *what, struct err *e);

#endif
