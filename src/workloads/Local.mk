# src/workloads
