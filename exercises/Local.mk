# exercises: what a learner does, one folder a task.
EXTRA_DIST += exercises/lib/course.sh exercises/lib/lab.sh \
	exercises/lib/calibrate exercises/lib/cheap.sh \
	exercises/lib/compare exercises/lib/compare.awk \
	exercises/lib/costs \
	exercises/lib/measure.sh exercises/lib/mended.sh \
	exercises/lib/sampled \
	exercises/lib/workloads \
	exercises/4-optimization/README.md \
	exercises/4-optimization/answers.example \
	exercises/4-optimization/findings \
	exercises/4-optimization/hints \
	exercises/4-optimization/run \
	exercises/4-optimization/task \
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

# The runner, and what it takes for mended.
TESTS += tests/checker.sh tests/course.sh tests/exercise-4.sh \
	tests/readme-quick.sh
COURSE_TESTS += tests/wrong-fixes.sh tests/repeat-long.sh tests/solved.sh \
	tests/readme-commands.sh tests/calibrated-long.sh tests/instructor.sh \
	tests/compare-equal-long.sh
EXTRA_DIST += tests/readme-quick.sh tests/readme-commands.sh \
	tests/calibrated-long.sh tests/instructor.sh tests/repeat-long.sh
EXTRA_DIST += tests/checker.sh tests/course.sh tests/course-lib.sh tests/exercise-4.sh \
	tests/solved.sh tests/wrong-fixes.sh tests/compare-equal-long.sh \
	tests/wrong-fixes/crashes.patch \
	tests/wrong-fixes/drops-oldest.patch \
	tests/wrong-fixes/hangs.patch \
	tests/wrong-fixes/in-a-child.patch \
	tests/wrong-fixes/in-arena.patch \
	tests/wrong-fixes/in-place.patch \
	tests/wrong-fixes/leak-in-files.patch \
	tests/wrong-fixes/leak-in-memfd.patch \
	tests/wrong-fixes/leak-in-mmap.patch \
	tests/wrong-fixes/memoized.patch \
	tests/wrong-fixes/not-kept.patch \
	tests/wrong-fixes/past-the-hooks.patch \
	tests/wrong-fixes/remembered.patch \
	tests/wrong-fixes/renamed-leak.patch \
	tests/wrong-fixes/renamed.patch \
	tests/wrong-fixes/sampling-blocked.patch \
	tests/wrong-fixes/sampling-off.patch \
	tests/wrong-fixes/sleeping.patch \
	tests/wrong-fixes/spinning.patch \
	tests/wrong-fixes/threads-for-each.patch \
	tests/wrong-fixes/work-deleted.patch

# The thresholds of findings and costs, from what the two variants measure.
calibrate: all
	PROFLAB_BUILD='$(abs_top_builddir)' \
		PROFLAB_STATE='$(abs_top_builddir)/calibrate' \
		$(SHELL) $(srcdir)/exercises/lib/calibrate write $(CALIBRATE)
.PHONY: calibrate

# Task 5; what one would copy into /etc is installed beside the handbook.
ops = exercises/5-production-monitoring
examplesdir = $(docdir)/examples
dist_examples_DATA = \
	$(ops)/alerts.yml.in \
	$(ops)/dashboard.json \
	$(ops)/parca.yaml \
	$(ops)/proflab-collect.cron \
	$(ops)/proflab-collect.service \
	$(ops)/proflab-collect.timer \
	$(ops)/prometheus.yml \
	$(ops)/pyroscope.alloy \
	$(NULL)
dist_examples_SCRIPTS = $(ops)/lint-dashboard $(ops)/render
EXTRA_DIST += \
	$(ops)/README.md \
	$(ops)/answers.example \
	$(ops)/check \
	$(ops)/expected \
	$(ops)/findings \
	$(ops)/hints \
	$(ops)/judgements \
	$(ops)/live \
	$(ops)/record \
	$(ops)/recorded/burst.series \
	$(ops)/recorded/ceiling-faulty.series \
	$(ops)/recorded/ceiling-fixed.series \
	$(ops)/recorded/down.series \
	$(ops)/recorded/filled.series \
	$(ops)/recorded/leak-faulty.series \
	$(ops)/recorded/leak-fixed.series \
	$(ops)/recorded/losing-faulty.series \
	$(ops)/recorded/losing-fixed.series \
	$(ops)/recorded/mixed-faulty.series \
	$(ops)/recorded/mixed-fixed.series \
	$(ops)/recorded/threads-faulty.series \
	$(ops)/recorded/threads-fixed.series \
	$(ops)/replay \
	$(ops)/run \
	$(ops)/task \
	$(ops)/test-rules \
	$(NULL)

TESTS += tests/operations.sh
COURSE_TESTS += tests/exercise-5-long.sh
EXTRA_DIST += tests/operations.sh tests/exercise-5-long.sh
