"""The study on chest X-rays: networks, preprocessing, lung hulls, training and replication."""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
