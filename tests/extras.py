"""Skip a test without its optional library, or fail if all libraries must be installed."""

from collections.abc import Callable, Mapping
from typing import Any

import pytest

REQUIRED = "GAZESAL_REQUIRE_EXTRAS"
# Installed by `make test-adapters` and `make test-cams`, and in no extra of the project.
ELSEWHERE = {"pysaliency", "pytorch_grad_cam", "torchcam", "torchxrayvision"}


def import_or(skip: Callable[..., Any], environ: Mapping[str, str]) -> Callable[..., Any]:
    """Return `pytest.importorskip`, or a variant that fails if extras are required."""
    if environ.get(REQUIRED) != "1":
        return skip

    def import_or_fail(name: str, *options: Any, **keywords: Any) -> Any:
        if name.split(".", maxsplit=1)[0] in ELSEWHERE:
            return skip(name, *options, **keywords)
        try:
            return skip(name, *options, **keywords)
        except pytest.skip.Exception as error:
            pytest.fail(f"{REQUIRED}=1 requires {name}: {error}", pytrace=False)

    return import_or_fail
