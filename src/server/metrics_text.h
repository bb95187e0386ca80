/*
 * metrics_text.h - pieces of Prometheus's text format 0.0.4.
 */
#ifndef PROFLAB_SERVER_METRICS_TEXT_H
#define PROFLAB_SERVER_METRICS_TEXT_H

struct buf;

/* The head of a family, which comes once before all its lines. */
void metrics_family(struct buf *b, const char *name, const char *type,
		    const char *help);
/* The value of a label, between its quotes. */
void metrics_escaped(struct buf *b, const char *s);
/* The shortest text that reads back as the same number. */
void metrics_number(struct buf *b, double value);
/* A family of one line. */
void metrics_single(struct buf *b, const char *name, const char *type,
		    const char *help, double value);

#endif
