# exercises: what a learner does, one folder a task.
EXTRA_DIST += exercises/lib/course.sh exercises/lib/lab.sh \
	exercises/1-live-profiling/README.md \
	exercises/1-live-profiling/answers.example \
	exercises/1-live-profiling/findings \
	exercises/1-live-profiling/hints \
	exercises/1-live-profiling/run \
	exercises/1-live-profiling/task

TESTS += tests/exercise-1.sh
EXTRA_DIST += tests/exercise-1.sh
