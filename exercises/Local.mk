# exercises: what a learner does, one folder a task.
EXTRA_DIST += exercises/lib/lab.sh \
	exercises/1-live-profiling/run exercises/1-live-profiling/findings
