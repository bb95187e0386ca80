/*
 * check_reader_number.c - numbers as Go's strconv reads and writes them.  What
 * is expected was printed by Go 1.19.
 */
#include "base/buf.h"
#include "testing.h"
#include "tools/reader_number.h"

#include <inttypes.h>
#include <string.h>

static const struct whole {
	const char *text;
	int base;
	enum number_result result;
	int64_t value;
} wholes[] = {
	{ "+5", 10, NUMBER_OK, 5 },
	{ "08", 10, NUMBER_OK, 8 },
	{ "-7", 10, NUMBER_OK, -7 },
	{ "", 10, NUMBER_SYNTAX, 0 },
	{ "+", 10, NUMBER_SYNTAX, 0 },
	{ "--1", 10, NUMBER_SYNTAX, 0 },
	{ " 1", 10, NUMBER_SYNTAX, 0 },
	{ "1_0", 10, NUMBER_SYNTAX, 0 },
	{ "0x1", 10, NUMBER_SYNTAX, 0 },
	{ "1e3", 10, NUMBER_SYNTAX, 0 },
	{ "3000000000", 10, NUMBER_OK, 3000000000 },
	{ "9223372036854775807", 10, NUMBER_OK, INT64_MAX },
	{ "9223372036854775808", 10, NUMBER_RANGE, 0 },
	{ "-9223372036854775808", 10, NUMBER_OK, INT64_MIN },
	{ "-9223372036854775809", 10, NUMBER_RANGE, 0 },
	{ "99999999999999999999x", 10, NUMBER_RANGE, 0 },
	{ "0x10", 0, NUMBER_OK, 16 },
	{ "-0x10", 0, NUMBER_OK, -16 },
	{ "0XF", 0, NUMBER_OK, 15 },
	{ "0b11", 0, NUMBER_OK, 3 },
	{ "0o17", 0, NUMBER_OK, 15 },
	{ "017", 0, NUMBER_OK, 15 },
	{ "08", 0, NUMBER_SYNTAX, 0 },
	{ "0b2", 0, NUMBER_SYNTAX, 0 },
	{ "0x", 0, NUMBER_SYNTAX, 0 },
	{ "0", 0, NUMBER_OK, 0 },
	{ "1_000", 0, NUMBER_OK, 1000 },
	{ "0_7", 0, NUMBER_OK, 7 },
	{ "0x_f", 0, NUMBER_OK, 15 },
	{ "_1", 0, NUMBER_SYNTAX, 0 },
	{ "1_", 0, NUMBER_SYNTAX, 0 },
	{ "1__0", 0, NUMBER_SYNTAX, 0 },
	{ "0_x1", 0, NUMBER_SYNTAX, 0 },
};

START_TEST(whole_numbers)
{
	const struct whole *w = &wholes[_i];
	int64_t value = 0;
	const enum number_result result =
		number_parse_int(w->text, w->base, &value);
	ck_assert_msg(result == w->result && value == w->value,
		      "\"%s\", base %d: %d, %" PRId64, w->text, w->base, result,
		      value);
}
END_TEST

/* printed: what %v makes of it; NULL: not a number */
static const struct real {
	const char *text;
	enum number_result result;
	const char *printed;
} reals[] = {
	{ "1_0", NUMBER_OK, "10" },
	{ "1_0.5_0", NUMBER_OK, "10.5" },
	{ "1e1_0", NUMBER_OK, "1e+10" },
	{ "0x_1p-4", NUMBER_OK, "0.0625" },
	{ "0x1_0p1", NUMBER_OK, "32" },
	{ "0x.8p1", NUMBER_OK, "1" },
	{ "0x1.8P-1", NUMBER_OK, "0.75" },
	{ "5.", NUMBER_OK, "5" },
	{ "+.5e-1", NUMBER_OK, "0.05" },
	{ "-0", NUMBER_OK, "-0" },
	{ "+inf", NUMBER_OK, "+Inf" },
	{ "-iNf", NUMBER_OK, "-Inf" },
	{ "INFINITY", NUMBER_OK, "+Inf" },
	{ "nan", NUMBER_OK, "NaN" },
	{ "1e-400", NUMBER_OK, "0" },
	{ "0x1p-2000", NUMBER_OK, "0" },
	{ "1e20", NUMBER_OK, "1e+20" },
	{ "3000000", NUMBER_OK, "3e+06" },
	{ "123456789", NUMBER_OK, "1.23456789e+08" },
	{ "999999", NUMBER_OK, "999999" },
	{ "0.0001", NUMBER_OK, "0.0001" },
	{ "0.000015", NUMBER_OK, "1.5e-05" },
	{ "0.1", NUMBER_OK, "0.1" },
	{ "1e400", NUMBER_RANGE, NULL },
	{ "-0x1p99999", NUMBER_RANGE, NULL },
	{ "", NUMBER_SYNTAX, NULL },
	{ ".", NUMBER_SYNTAX, NULL },
	{ " 1", NUMBER_SYNTAX, NULL },
	{ "1__0", NUMBER_SYNTAX, NULL },
	{ "_1", NUMBER_SYNTAX, NULL },
	{ "1_", NUMBER_SYNTAX, NULL },
	{ "1._5", NUMBER_SYNTAX, NULL },
	{ "0x1", NUMBER_SYNTAX, NULL },
	{ "0x1p", NUMBER_SYNTAX, NULL },
	{ "0b1", NUMBER_SYNTAX, NULL },
	{ "1e", NUMBER_SYNTAX, NULL },
	{ "1e+", NUMBER_SYNTAX, NULL },
	{ "infin", NUMBER_SYNTAX, NULL },
	{ "+nan", NUMBER_SYNTAX, NULL },
	{ "nan(1)", NUMBER_SYNTAX, NULL },
};

START_TEST(real_numbers)
{
	const struct real *r = &reals[_i];
	double value = -1;
	struct buf b = { 0 };
	const enum number_result result = number_parse_float(r->text, &value);
	ck_assert_msg(result == r->result, "\"%s\": %d", r->text, result);
	if (!r->printed) {
		ck_assert_msg(value == -1, "\"%s\": touched", r->text);
		return;
	}
	number_format_float(&b, value);
	ck_assert_msg(strcmp(buf_str(&b), r->printed) == 0, "\"%s\": \"%s\"",
		      r->text, buf_str(&b));
	buf_free(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("numbers");
	TCase *t = tcase_create("as Go's");
	testing_add_table(t, whole_numbers, wholes);
	testing_add_table(t, real_numbers, reals);
	suite_add_tcase(s, t);
	return testing_run(s);
}
