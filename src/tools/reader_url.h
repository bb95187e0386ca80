/*
 * reader_url.h - is a source a URL, and which one exactly?
 */
#ifndef PROFLAB_TOOLS_READER_URL_H
#define PROFLAB_TOOLS_READER_URL_H

/*
 * The URL to ask for source, in memory that the caller frees, or NULL when it
 * is no URL but a file.  HOST:PORT alone is a URL, and without a path it means
 * the CPU profile.  seconds > 0 is put into the query; *ret_timeout_s is how
 * long to wait for an answer to begin: timeout_s where that is > 0, else what
 * the measurement needs.
 *
 * "unix:PATH" is a server that listens on the socket PATH, "unix:PATH:/NAME"
 * the profile of that name there.  *ret_socket is PATH then, which the caller
 * frees, else NULL.
 */
char *url_adjust(const char *source, int seconds, int timeout_s,
		 int *ret_timeout_s, char **ret_socket);

/*
 * The address that names functions for a server's profile URL, in memory that
 * the caller frees: its /debug/pprof/symbol, or /symbolz.  NULL: none.
 */
char *url_of_symbols(const char *url);

#endif
