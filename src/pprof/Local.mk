# src/pprof
