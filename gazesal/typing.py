"""Types of the arrays in the library."""

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

FloatArray: TypeAlias = NDArray[np.floating[Any]]
WeightArray: TypeAlias = NDArray[np.floating[Any] | np.signedinteger[Any]]
Float64Array: TypeAlias = NDArray[np.float64]
IntArray: TypeAlias = NDArray[np.int64]
Unsigned: TypeAlias = np.unsignedinteger[Any]
UnsignedArray: TypeAlias = NDArray[np.unsignedinteger[Any]]
RandomState: TypeAlias = int | np.random.SeedSequence | np.random.BitGenerator | np.random.Generator
