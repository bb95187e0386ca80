/*
 * exchange.h - one request to the server and its answer.
 */
#ifndef PROFLAB_SERVER_EXCHANGE_H
#define PROFLAB_SERVER_EXCHANGE_H

#include <microhttpd.h>

/* What the daemon calls; arg is the struct server. */
enum MHD_Result exchange_handle(void *arg, struct MHD_Connection *connection,
				const char *url, const char *method,
				const char *version, const char *upload_data,
				size_t *upload_data_size, void **state);
void exchange_completed(void *arg, struct MHD_Connection *connection,
			void **state, enum MHD_RequestTerminationCode how);

#endif
