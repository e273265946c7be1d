"""Readers of fixations, maps and image sizes, and a synthetic data set on disk."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
