"""Synthetic release of REFLACX and MIMIC-CXR-JPG: chests, pictures, readers and tables."""

from gazesal.datasets.synthetic_reflacx.release import SYNTHETIC_METHODS, write_synthetic_reflacx

__all__ = ["SYNTHETIC_METHODS", "write_synthetic_reflacx"]
