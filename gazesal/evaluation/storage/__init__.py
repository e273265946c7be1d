"""Checkpoints and saved evaluations: everything that an evaluation keeps on disk."""
