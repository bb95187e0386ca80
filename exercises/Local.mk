# exercises: what a learner does, one folder a task.
EXTRA_DIST += exercises/lib/course.sh exercises/lib/lab.sh \
	exercises/lib/calibrate \
	exercises/lib/compare exercises/lib/compare.awk \
	exercises/lib/costs \
	exercises/lib/measure.sh exercises/lib/mended.sh \
	exercises/lib/sampled \
	exercises/lib/workloads \
	exercises/1-live-profiling/README.md \
	exercises/1-live-profiling/answers.example \
	exercises/1-live-profiling/findings \
	exercises/1-live-profiling/hints \
	exercises/1-live-profiling/run \
	exercises/1-live-profiling/task

TESTS += tests/exercise-1.sh
EXTRA_DIST += tests/exercise-1.sh

# The thresholds of findings and costs, from what the two variants measure.
calibrate: all
	PROFLAB_BUILD='$(abs_top_builddir)' \
		PROFLAB_STATE='$(abs_top_builddir)/calibrate' \
		$(SHELL) $(srcdir)/exercises/lib/calibrate write $(CALIBRATE)
.PHONY: calibrate
