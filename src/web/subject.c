/* subject.c - see web.h and subject.h: profiles, parameters, dispatch. */
#include "web/subject.h"

#include "base/attr.h"
#include "base/err.h"
#include "profile/profile.h"
#include "report/combine.h"
#include "web/webjson.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- the subject --------------------------------------------------------- */

/* Both in one, so that stacks of either have a place in one tree. */
static int join(struct web_subject *s, struct err *e)
{
	struct profile *p = profile_copy(s->p), *base = profile_copy(s->base);
	const struct combine_base mark = { .mark = true };
	if (p && base)
		return combine_subtract(p, base, &mark, &s->both, e);
	profile_free(p);
	profile_free(base);
	return err_set(e, ERR_NOMEM, "out of memory");
}

int web_subject_new(struct profile *p, struct profile *base,
		    const struct web_options *options,
		    struct web_subject **ret_subject, struct err *e)
{
	struct web_subject *s = calloc(1, sizeof(*s));
	if (!s) {
		profile_free(p);
		profile_free(base);
		return err_set(e, ERR_NOMEM, "out of memory");
	}
	pthread_mutex_init(&s->lock, NULL);
	s->options = *options;
	s->p = p;
	s->base = base;
	const int rc = base ? join(s, e) : 0;
	if (rc) {
		web_subject_free(s);
		return rc;
	}
	*ret_subject = s;
	return 0;
}

void web_subject_free(struct web_subject *s)
{
	if (!s)
		return;
	web_flame_free(s->flame);
	profile_free(s->p);
	profile_free(s->base);
	profile_free(s->both);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- parameters ---------------------------------------------------------- */

const char *web_parameter(const struct web_call *c, const char *key)
{
	const char *value = c->request->parameter(c->request->arg, key);
	return value && *value ? value : NULL;
}

int web_flag(const struct web_call *c, const char *key, bool *ret_value)
{
	const char *value = web_parameter(c, key);
	if (!value || strcmp(value, "0") == 0)
		*ret_value = false;
	else if (strcmp(value, "1") == 0)
		*ret_value = true;
	else
		return err_set(c->e, ERR_INVALID,
			       "%s is \"%.80s\": must be 0 or 1", key, value);
	return 0;
}

static int read_granularity(struct web_call *c)
{
	static const struct {
		const char *name;
		enum report_granularity value;
	} all[] = {
		{ "functions", REPORT_FUNCTIONS },
		{ "filefunctions", REPORT_FILEFUNCTIONS },
		{ "files", REPORT_FILES },
		{ "lines", REPORT_LINES },
		{ "addresses", REPORT_ADDRESSES },
	};
	const char *value = web_parameter(c, "g");
	if (!value)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(all); i++)
		if (strcmp(all[i].name, value) == 0) {
			c->o.granularity = all[i].value;
			return 0;
		}
	return err_set(c->e, ERR_INVALID,
		       "g is \"%.80s\": must be functions, filefunctions, "
		       "files, lines or addresses",
		       value);
}

static int read_options(struct web_call *c)
{
	const struct {
		const char *key, **option;
	} texts[] = {
		{ "si", &c->o.sample_index },
		{ "focus", &c->o.focus },
		{ "ignore", &c->o.ignore },
		{ "hide", &c->o.hide },
		{ "show", &c->o.show },
		{ "show_from", &c->o.show_from },
		{ "tagfocus", &c->o.tagfocus },
		{ "tagignore", &c->o.tagignore },
	};
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		/* Given but empty, it takes back what the program was given. */
		const char *value =
			c->request->parameter(c->request->arg, texts[i].key);
		if (value)
			*texts[i].option = *value ? value : NULL;
	}
	if (c->request->parameter(c->request->arg, "noinlines")) {
		const int rc = web_flag(c, "noinlines", &c->o.noinlines);
		if (rc)
			return rc;
	}
	return read_granularity(c);
}

/* ---- reports ------------------------------------------------------------- */

static void keep_warning(void *arg, const char *text)
{
	struct web_call *c = arg;
	/* Each half of a difference may say the same. */
	if (!strstr(buf_str(&c->warnings), text))
		buf_printf(&c->warnings, "%s%s", c->warnings.len ? "\n" : "",
			   text);
}

int web_open(struct web_call *c, const struct profile *p, const char *kind,
	     const char *parameter, struct report **ret_report)
{
	const struct report_warn warn = { keep_warning, c };
	return report_open(p, report_find_kind(kind), parameter, &c->o, &warn,
			   ret_report, c->e);
}

void web_write_head(struct web_call *c, const struct report *r)
{
	webjson_text(c->j, "type", r->sample_type);
	webjson_text(c->j, "unit", r->sample_unit);
	webjson_real(c->j, "ratio", r->ratio);
	webjson_bool(c->j, "diff", c->s->base != NULL);
}

/* ---- dispatch ------------------------------------------------------------ */

static const struct web_view {
	const char *name;
	int (*write)(struct web_call *c);
} views[] = {
	{ "flame", web_flame },	      { "graph", web_graph },
	{ "meta", web_meta },	      { "peek", web_peek },
	{ "sandwich", web_sandwich }, { "source", web_source },
	{ "top", web_top },
};

static const char json_type[] = "application/json; charset=utf-8";

void web_refuse(struct web_reply *reply, unsigned status, const char *format,
		...)
{
	struct err e;
	va_list ap;
	va_start(ap, format);
	vsnprintf(e.text, sizeof(e.text), format, ap);
	va_end(ap);
	buf_clear(&reply->body);
	reply->status = status;
	reply->content_type = json_type;
	struct webjson j = { 0 };
	webjson_open_object(&j, NULL);
	webjson_text(&j, "error", e.text);
	webjson_finish(&j, &reply->body);
}

static unsigned status_of(int rc)
{
	return rc == ERR_INVALID       ? 400
	       : rc == ERR_NOTFOUND    ? 404
	       : rc == ERR_LIMIT       ? 413
	       : rc == ERR_UNSUPPORTED ? 501
				       : 500;
}

void web_answer(struct web_subject *s, const struct web_request *request,
		struct web_reply *reply)
{
	struct err e = { "" };
	struct webjson j = { 0 };
	struct web_call c = { .s = s,
			      .request = request,
			      .o = s->options.report,
			      .j = &j,
			      .e = &e };
	*reply = (struct web_reply){ .status = 200, .content_type = json_type };
	const struct web_view *view = NULL;
	for (size_t i = 0; i < ARRAY_SIZE(views); i++)
		if (strcmp(views[i].name, request->view) == 0)
			view = &views[i];
	if (!view) {
		web_refuse(reply, 404, "there is no view \"%.80s\"",
			   request->view);
		return;
	}
	webjson_open_object(&j, NULL);
	int rc = read_options(&c);
	if (!rc)
		rc = view->write(&c);
	webjson_text(&j, "warnings", buf_str(&c.warnings));
	buf_free(&c.warnings);
	if (!rc)
		rc = webjson_finish(&j, &reply->body);
	webjson_free(&j);
	if (rc)
		web_refuse(reply, status_of(rc), "%s",
			   *e.text ? e.text : err_name(rc));
}
