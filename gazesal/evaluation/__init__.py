"""Many images, observers, maps and metrics to one tidy table."""
