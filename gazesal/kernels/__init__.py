"""Compiled loops: arrays in, numbers and arrays out; no checks, no randomness."""
