"""Kernels of the area under the ROC curve within a tolerance."""
