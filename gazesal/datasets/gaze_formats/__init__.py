"""Readers of benchmarks and trackers whose gaze is not a plain table, and presets for tables."""
