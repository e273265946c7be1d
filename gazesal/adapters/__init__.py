"""Functions for the data and models of other libraries, with one module per library or method.

Each library is imported when its functions are first used.
"""

from lazy_loader import attach_stub as _attach_stub

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
