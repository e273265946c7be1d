"""gazesal: how much does a saliency map look like where people looked?

The public names and namespaces are listed in ``__init__.pyi``. Each is imported when it is first
used.
"""

from importlib.metadata import version as _version

from lazy_loader import attach_stub as _attach_stub

__version__ = _version("gazesal")

__getattr__, __dir__, __all__ = _attach_stub(__name__, __file__)
__all__ += ["__version__"]
