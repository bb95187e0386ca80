# doc: what people read.
EXTRA_DIST += README.md doc/architecture.md doc/metrics.md doc/sampling.md
EXTRA_DIST += doc/signal-safety.md
