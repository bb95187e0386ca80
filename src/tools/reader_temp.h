/*
 * reader_temp.h - files that are made beside the report: kept ones with
 * numbers in their names, and short-lived ones.
 */
#ifndef PROFLAB_TOOLS_READER_TEMP_H
#define PROFLAB_TOOLS_READER_TEMP_H

/*
 * Create FOLDER/PREFIXnnnSUFFIX, nnn the first number from 001 that is free.
 * folder "" is the working directory.
 * Returns: a descriptor, or -1 with errno.  Owns: the caller both, *ret_path
 * (NULL after a failure) with free().
 */
int temp_create(const char *folder, const char *prefix, const char *suffix,
		char **ret_path);

/* Remove this file when the program ends normally. */
void temp_remove_at_exit(const char *path);

#endif
