"""Arrays of other libraries are read without loss and without hidden copies, or refused."""

import numpy as np
import pytest

import gazesal

RNG = np.random.default_rng(0)
MAP, GAZE, BIAS = RNG.random((3, 5, 7))
EXPECTED = gazesal.sauc(MAP, GAZE, BIAS)
NAMES = ("saliency_map", "gaze_map", "center_bias")
KINDS_OF_MAIN_MEMORY = [1, 3, 11]
KINDS_OF_DEVICES = [2, 4, 7, 8, 10, 14]


class Foreign:
    """Stand-in for the arrays of PyTorch, JAX and CuPy."""

    def __init__(self, array, *, kind=1, device="cpu", requires_grad=False):
        self._array = array
        self._kind = kind
        self.device = device
        self.requires_grad = requires_grad

    def __dlpack_device__(self):
        return self._kind, 0

    def __dlpack__(self, **options):
        assert self._kind in KINDS_OF_MAIN_MEMORY, "a copy from a device"
        return self._array.__dlpack__(**options)


class WithArray(Foreign):
    """Stand-in that numpy reads by `__array__`, which would copy an array from a device."""

    def __array__(self, dtype=None, copy=None):
        assert self._kind in KINDS_OF_MAIN_MEMORY, "a copy from a device"
        return self._array


class Meta:
    """Stand-in for an array on a device without a DLPack number."""

    device = "meta"
    shape = (5, 7)

    def __dlpack_device__(self):
        raise ValueError("unknown device")

    def __array__(self, dtype=None, copy=None):
        raise AssertionError("read")


def score_with(position, bad):
    maps = [MAP, GAZE, BIAS]
    maps[position] = bad
    return gazesal.sauc(*maps)


@pytest.mark.parametrize("foreign", [Foreign, WithArray])
@pytest.mark.parametrize("kind", KINDS_OF_MAIN_MEMORY)
def test_arrays_in_main_memory_are_read(foreign, kind):
    maps = [foreign(array, kind=kind) for array in (MAP, GAZE, BIAS)]
    assert gazesal.sauc(*maps) == EXPECTED
    assert gazesal.ncc(*maps[:2]) == gazesal.ncc(MAP, GAZE)


@pytest.mark.parametrize("foreign", [Foreign, WithArray])
@pytest.mark.parametrize("kind", KINDS_OF_DEVICES)
@pytest.mark.parametrize("position", [0, 1, 2])
def test_arrays_on_a_device_are_refused_unread(foreign, kind, position):
    bad = foreign(MAP, kind=kind, device="cuda:0")
    with pytest.raises(TypeError, match=rf"`{NAMES[position]}` .*main memory.*cuda:0.*`\.cpu\(\)`"):
        score_with(position, bad)


def test_a_device_without_a_name_is_refused_by_its_number():
    with pytest.raises(TypeError, match="device 2"):
        score_with(0, Foreign(MAP, kind=2, device=None))


def test_a_device_unknown_to_dlpack_is_refused_by_its_name():
    with pytest.raises(TypeError, match="main memory, got a Meta on meta"):
        score_with(1, Meta())


@pytest.mark.parametrize("position", [0, 1, 2])
def test_tensors_with_a_gradient_are_refused(position):
    bad = WithArray(MAP, requires_grad=True)
    with pytest.raises(TypeError, match=rf"`{NAMES[position]}` .*gradient.*`\.detach\(\)`"):
        score_with(position, bad)


def test_arrays_that_numpy_cannot_read_are_named():
    class Broken:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("sealed")

    with pytest.raises(TypeError, match=r"`gaze_map` must be an array .*sealed"):
        score_with(1, Broken())


class TestTorch:
    """Tensors of PyTorch."""

    @pytest.fixture
    def torch(self):
        return pytest.importorskip("torch")

    @pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "uint8", "bool"])
    def test_tensors_score_as_arrays_do(self, torch, dtype):
        arrays = [np.round(8 * array) for array in (MAP, GAZE, BIAS)]
        tensors = [torch.tensor(array).to(getattr(torch, dtype)) for array in arrays]
        expected = [tensor.numpy() for tensor in tensors]
        assert gazesal.sauc(*tensors) == gazesal.sauc(*expected)
        assert gazesal.ncc(*tensors[:2]) == gazesal.ncc(*expected[:2])

    def test_tensors_are_not_copied_or_changed(self, torch):
        from gazesal._validation import as_map

        tensor = torch.tensor(MAP)
        assert np.shares_memory(as_map(tensor, name="map"), tensor.numpy())
        view = tensor.T.contiguous().T
        assert gazesal.sauc(view, GAZE, BIAS) == EXPECTED

    def test_gradients_are_refused_and_detached_tensors_are_not(self, torch):
        tensor = torch.tensor(MAP, requires_grad=True)
        with pytest.raises(TypeError, match=r"`saliency_map` .*gradient"):
            gazesal.ncc(tensor, GAZE)
        assert gazesal.ncc(tensor.detach(), GAZE) == gazesal.ncc(MAP, GAZE)

    def test_tensors_on_other_devices_are_refused(self, torch):
        with pytest.raises(TypeError, match=r"`saliency_map` must be in main memory.*meta"):
            gazesal.ncc(torch.empty(5, 7, device="meta"), GAZE)

    def test_sparse_tensors_are_refused(self, torch):
        with pytest.raises(TypeError, match="`saliency_map` must be an array"):
            gazesal.ncc(torch.tensor(MAP).to_sparse(), GAZE)

    @pytest.mark.parametrize("position", [0, 1, 2])
    def test_bfloat16_is_read_as_float32(self, torch, position):
        """NumPy has no such type, and float32 represents each of its values."""
        tensor = torch.tensor((MAP, GAZE, BIAS)[position]).bfloat16()
        assert score_with(position, tensor) == score_with(position, tensor.float())
        assert gazesal.ncc(tensor, tensor) == 1.0
        with pytest.raises(TypeError, match="gradient"):
            score_with(position, tensor.requires_grad_())
        points = torch.tensor([[1, 2], [3, 0]])
        assert gazesal.nss(MAP, points.bfloat16()) == gazesal.nss(MAP, points)

    def test_complex_tensors_are_refused(self, torch):
        with pytest.raises(TypeError, match="`saliency_map` must hold real numbers"):
            gazesal.ncc(torch.tensor(MAP).to(torch.complex64), GAZE)
