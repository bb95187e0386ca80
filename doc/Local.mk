# doc: what people read.  The documents are in the tarball and are installed, in
# the same places beside each other, so that their links lead somewhere;
# tests/docs.sh runs every command that they show.
dist_doc_DATA += README.md NEWS
docsdir = $(docdir)/doc
dist_docs_DATA = \
	doc/architecture.md \
	doc/flame.png doc/pprof-page.md \
	doc/flame.svg \
	doc/go-and-c.md \
	doc/guide.md \
	doc/instructor.md \
	doc/libpprof.md \
	doc/locks.md \
	doc/metrics.md \
	doc/operations.md \
	doc/reader.md \
	doc/sampling.md \
	doc/signal-safety.md \
	$(NULL)

exampledir = $(docsdir)/examples
dist_example_DATA = \
	doc/examples/handles.cc \
	doc/examples/primes.c \
	doc/examples/server.c \
	$(NULL)

TESTS += tests/docs.sh
LONG_TESTS += tests/docs-long.sh
EXTRA_DIST += tests/docs.sh tests/docs-long.sh tests/docs-lib.sh \
	tests/docs.awk

# The manual.  tests/man.sh compares each page with what it tells of.
dist_man_MANS += \
	doc/libpprof-preload.7 \
	doc/pprof.3 \
	doc/pprof_http.3 \
	doc/proflab-check.1 \
	doc/proflab-collect.1 \
	doc/proflab-findings.5 \
	doc/proflab-load.1 \
	doc/proflab-monitor.1 \
	doc/proflab-pprof.1 \
	doc/proflab-server.1 \
	$(NULL)

# One page stands for many names: `man pprof_lookup` finds it.
man_links = doc/proflab-server-fixed.1
man_pprof = \
	doc/pprof_block_profile_rate.3 \
	doc/pprof_capture_free.3 \
	doc/pprof_capture_start.3 \
	doc/pprof_capture_stop.3 \
	doc/pprof_capture_write.3 \
	doc/pprof_cpu_profile_budget.3 \
	doc/pprof_do.3 \
	doc/pprof_lookup.3 \
	doc/pprof_mem_profile_rate.3 \
	doc/pprof_new_profile.3 \
	doc/pprof_profile_add.3 \
	doc/pprof_profile_at.3 \
	doc/pprof_profile_count.3 \
	doc/pprof_profile_description.3 \
	doc/pprof_profile_has_delta.3 \
	doc/pprof_profile_name.3 \
	doc/pprof_profile_remove.3 \
	doc/pprof_set_block_profile_rate.3 \
	doc/pprof_set_cpu_profile_budget.3 \
	doc/pprof_set_cpu_profile_rate.3 \
	doc/pprof_set_labels.3 \
	doc/pprof_set_mem_profile_rate.3 \
	doc/pprof_set_mutex_profile_fraction.3 \
	doc/pprof_start_cpu_profile.3 \
	doc/pprof_stat_at.3 \
	doc/pprof_stop_cpu_profile.3 \
	doc/pprof_strerror.3 \
	doc/pprof_symbol.3 \
	doc/pprof_write_to.3 \
	$(NULL)
man_pprof_http = \
	doc/pprof_http_completed.3 \
	doc/pprof_http_drain.3 \
	doc/pprof_http_forked.3 \
	doc/pprof_http_get_stats.3 \
	doc/pprof_http_handle.3 \
	doc/pprof_http_new.3 \
	doc/pprof_http_set_rate.3 \
	doc/pprof_http_start.3 \
	doc/pprof_http_stop.3 \
	doc/pprof_http_url.3 \
	doc/pprof_http_wants.3 \
	$(NULL)
nodist_man_MANS += $(man_links) $(man_pprof) $(man_pprof_http)
CLEANFILES += $(man_links) $(man_pprof) $(man_pprof_http)
$(man_links): Makefile
	$(AM_V_GEN)$(MKDIR_P) doc && echo '.so man1/proflab-server.1' >$@
$(man_pprof): Makefile
	$(AM_V_GEN)$(MKDIR_P) doc && echo '.so man3/pprof.3' >$@
$(man_pprof_http): Makefile
	$(AM_V_GEN)$(MKDIR_P) doc && echo '.so man3/pprof_http.3' >$@

TESTS += tests/man.sh
EXTRA_DIST += tests/man.sh
