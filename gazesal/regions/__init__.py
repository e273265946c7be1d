"""Metrics of a saliency map against a region of the image, such as the mask of a lesion."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
