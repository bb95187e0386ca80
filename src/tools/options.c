/* options.c - see options.h. */
#include "tools/options.h"

#include "base/err.h"
#include "base/parse.h"

#include <getopt.h>
#include <stdbool.h>
#include <stdio.h>

static int set_value(const struct option_row *row, const char *value,
		     void *field, struct err *e)
{
	char what[64];
	snprintf(what, sizeof(what), "-%s", row->name);
	switch (row->kind) {
	case OPTION_FLAG:
		*(bool *)field = true;
		return 0;
	case OPTION_NUMBER:
		return parse_int(value, what, row->min, row->max, field, e);
	case OPTION_DURATION:
		return parse_duration(value, what, row->min, row->max, field,
				      e);
	case OPTION_OTHER:
		return row->parse(value, what, field, e);
	case OPTION_TEXT:
		break;
	}
	*(const char **)field = value;
	return 0;
}

int options_parse(int argc, char **argv, const struct option_row *rows,
		  size_t n_rows, void *fields, struct err *e)
{
	struct option longs[OPTION_ROWS_MAX + 1] = { { 0 } };
	int c, which, rc = 0;
	if (n_rows > OPTION_ROWS_MAX)
		return err_set(e, ERR_LIMIT, "more than %d options",
			       OPTION_ROWS_MAX);
	for (size_t i = 0; i < n_rows; i++)
		longs[i] = (struct option){
			.name = rows[i].name,
			.has_arg = rows[i].kind == OPTION_FLAG
					   ? no_argument
					   : required_argument,
		};
	while (!rc &&
	       (c = getopt_long_only(argc, argv, "", longs, &which)) != -1) {
		if (c)
			return err_set(e, ERR_INVALID,
				       "-help lists the options");
		rc = set_value(&rows[which], optarg,
			       (char *)fields + rows[which].offset, e);
	}
	return rc;
}

int options_operand(int argc, char **argv, const char *what,
		    const char **ret_operand, struct err *e)
{
	if (argc - optind != 1)
		return err_set(e, ERR_INVALID,
			       "one %s is needed (-help lists the options)",
			       what);
	*ret_operand = argv[optind];
	return 0;
}
