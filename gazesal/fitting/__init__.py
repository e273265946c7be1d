"""Densities fitted to fixations by likelihood."""
