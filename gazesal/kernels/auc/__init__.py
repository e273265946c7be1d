"""Kernels of the area under the ROC curve: exact, of densities and of points."""
