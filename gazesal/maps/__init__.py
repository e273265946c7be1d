"""Where people looked, as maps."""
