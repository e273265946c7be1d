"""What to do without an optional library: skip, or fail where all of them must be installed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

REQUIRED = "GAZESAL_REQUIRE_EXTRAS"
# in no extra of the project; `make test-adapters` and `make test-cams` install them
ELSEWHERE = {"pysaliency", "pytorch_grad_cam", "torchcam", "torchxrayvision"}


def import_or(skip: Callable[..., Any], environ: Mapping[str, str]) -> Callable[..., Any]:
    """Return `pytest.importorskip`, or a form of it that fails if extras are required."""
    if environ.get(REQUIRED) != "1":
        return skip

    def import_or_fail(name: str, *options: Any, **keywords: Any) -> Any:
        if name.split(".", maxsplit=1)[0] in ELSEWHERE:
            return skip(name, *options, **keywords)
        try:
            return skip(name, *options, **keywords)
        except pytest.skip.Exception as error:
            pytest.fail(f"{error}, and {REQUIRED}=1 asks for it", pytrace=False)

    return import_or_fail
