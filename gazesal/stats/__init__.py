"""From scores to claims."""
