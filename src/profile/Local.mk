# src/profile
