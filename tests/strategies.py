"""Draw maps with hypothesis: many ties, tiny shapes, every dtype, adversarial weights."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

SHAPES = st.tuples(st.integers(1, 6), st.integers(1, 7))
SHAPES_OF_TWO = SHAPES.filter(lambda shape: shape[0] * shape[1] >= 2)
FLOATS = (np.float32, np.float64)
TIED = (-2.0, -0.5, -0.0, 0.0, 0.25, 1.0, 1.5)
SCALES = st.sampled_from([1e-30, 1e-12, 1.0, 1e12, 1e30])
# Few bits, so that sums and products with 2 are exact and a test may require equality.
GRID = st.integers(-512, 512).map(lambda step: step / 64)


def _finite(dtype, low, high):
    width = 32 if dtype is np.float32 else 64
    return st.floats(low, high, width=width, allow_subnormal=False)


@st.composite
def saliency_maps(draw, shape):
    """Draw a finite map: heavy ties, signed zeros, negative values, integers, extreme scales."""
    dtype = draw(st.sampled_from(FLOATS))
    kind = draw(st.sampled_from(["tied", "integer", "bool", "any", "near", "scaled"]))
    if kind == "integer":
        wanted = draw(st.sampled_from([np.uint8, np.int16, np.int32, np.int64]))
        return draw(hnp.arrays(wanted, shape, elements=st.integers(0, 7)))
    if kind == "bool":
        return draw(hnp.arrays(np.bool_, shape))
    if kind == "tied":
        return draw(hnp.arrays(dtype, shape, elements=st.sampled_from(TIED)))
    if kind == "near":  # one bucket, distinguished only by sorting, hardly more than constant
        step = 33 * draw(hnp.arrays(np.int64, shape, elements=st.integers(0, 300)))
        bits = np.dtype(dtype).str.replace("f", "u")
        one = np.ones(shape, dtype).view(bits)
        return (one + step.astype(bits)).view(dtype)
    if kind == "scaled":
        base = draw(hnp.arrays(dtype, shape, elements=_finite(dtype, -1, 1)))
        return (base * dtype(draw(SCALES))).astype(dtype)
    limit = 2.0**120
    return draw(hnp.arrays(dtype, shape, elements=_finite(dtype, -limit, limit)))


@st.composite
def weight_maps(draw, shape):
    """Draw a non-negative map with a positive sum: zeros, deltas, ties, extreme scales."""
    dtype = draw(st.sampled_from(FLOATS))
    kind = draw(st.sampled_from(["delta", "counts", "sparse", "any", "integer"]))
    size = shape[0] * shape[1]
    if kind == "delta":
        weights = np.zeros(shape, dtype)
        weights.flat[draw(st.integers(0, size - 1))] = draw(SCALES)
        return weights
    if kind == "integer":
        weights = draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, 4)))
    elif kind == "counts":
        weights = draw(hnp.arrays(dtype, shape, elements=st.integers(0, 4)))
    elif kind == "sparse":
        element = st.one_of(st.just(0.0), st.just(-0.0), _finite(dtype, 2.0**-20, 1))
        weights = draw(hnp.arrays(dtype, shape, elements=element))
    else:
        weights = draw(hnp.arrays(dtype, shape, elements=_finite(dtype, 0, 1)))
        weights = (weights * dtype(draw(SCALES))).astype(dtype)
    if not weights.any():
        weights.flat[draw(st.integers(0, size - 1))] = 1
    return weights


@st.composite
def map_triples(draw, shapes=SHAPES):
    """Draw (saliency map, gaze map, center bias) of one shape, the last two non-negative."""
    shape = draw(shapes)
    return draw(saliency_maps(shape)), draw(weight_maps(shape)), draw(weight_maps(shape))


def map_pairs(shapes=SHAPES):
    """Return a strategy for (saliency map, gaze map) of one shape."""
    return map_triples(shapes).map(lambda triple: triple[:2])


@st.composite
def plain_triples(draw, shapes=SHAPES_OF_TWO):
    """Draw `map_triples` that are not constant, in float64 multiples of 1/64 from -8 to 8."""
    shape = draw(shapes)
    saliency = draw(hnp.arrays(np.float64, shape, elements=GRID))
    gaze = np.abs(draw(hnp.arrays(np.float64, shape, elements=GRID)))
    bias = np.abs(draw(hnp.arrays(np.float64, shape, elements=GRID)))
    for array in (saliency, gaze, bias):
        if array.min() == array.max():
            array.flat[draw(st.integers(0, array.size - 1))] += 1.0
    return saliency, gaze, bias
