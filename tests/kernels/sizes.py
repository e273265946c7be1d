"""Sizes that reach every path of the kernels in little time, compiled or not."""

import numba

from gazesal.kernels.auc.partition import Sizes

# Compiled, the kernels are tested at the sizes that users have.
SIZES = Sizes(bucket=256, streams=16, slab=512) if numba.config.DISABLE_JIT else Sizes()
