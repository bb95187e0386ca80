# src/symbol
