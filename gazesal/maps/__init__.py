"""Gaze maps, center biases and the geometry of images."""
