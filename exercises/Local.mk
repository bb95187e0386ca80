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

EXTRA_DIST += \
	exercises/2-memory-leak/README.md \
	exercises/2-memory-leak/answers.example \
	exercises/2-memory-leak/findings \
	exercises/2-memory-leak/hints \
	exercises/2-memory-leak/run \
	exercises/2-memory-leak/task

EXTRA_DIST += \
	exercises/3-concurrency/README.md \
	exercises/3-concurrency/answers.example \
	exercises/3-concurrency/findings \
	exercises/3-concurrency/hints \
	exercises/3-concurrency/run \
	exercises/3-concurrency/task

TESTS += tests/exercise-1.sh tests/exercise-2.sh tests/exercise-3.sh
EXTRA_DIST += tests/exercise-1.sh tests/exercise-2.sh tests/exercise-3.sh

# The thresholds of findings and costs, from what the two variants measure.
calibrate: all
	PROFLAB_BUILD='$(abs_top_builddir)' \
		PROFLAB_STATE='$(abs_top_builddir)/calibrate' \
		$(SHELL) $(srcdir)/exercises/lib/calibrate write $(CALIBRATE)
.PHONY: calibrate
