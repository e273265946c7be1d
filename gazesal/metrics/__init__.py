"""Metrics of the similarity of a saliency map and gaze, one family per module."""
