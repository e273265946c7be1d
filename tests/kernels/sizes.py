"""Sizes that reach every path of the kernels in little time, compiled or not."""

import numba

from gazesal.kernels.auc.partition import Sizes

SMALL = Sizes(bucket=256, streams=16, slab=512)
# Compiled, the kernels are tested at the sizes that users have.
SIZES = SMALL if numba.config.DISABLE_JIT else Sizes()
