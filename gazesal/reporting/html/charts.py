"""Draw small charts as inline SVG, which takes its colors and fonts from the page."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np

from gazesal.reporting.distributions import FEW
from gazesal.typing import Float64Array

__all__ = ["Scale", "axis_svg", "distribution_svg", "interval_svg"]

WIDTH, HEIGHT, EDGE = 320, 30, 14  # pixels of a chart and of the margin beside its scale
AXIS_HEIGHT = 22  # pixels
BINS = 48  # of a distribution, so that the size of the page does not grow with the images


class Scale:
    """Map a range of scores to horizontal positions in a chart.

    Parameters
    ----------
    values : sequence of float
        The scores that the range includes. Values that are not finite are ignored.
    marks : sequence of float, optional
        More values that the range includes, such as the chance level.
    """

    def __init__(self, values: Sequence[float] | Float64Array, marks: Sequence[float] = ()) -> None:
        numbers = np.asarray([*np.ravel(values), *marks], np.float64)
        numbers = numbers[np.isfinite(numbers)]
        low, high = (float(numbers.min()), float(numbers.max())) if numbers.size else (0.0, 1.0)
        room = 0.04 * (high - low) or 0.05 * abs(high) or 0.5  # if all are equal
        self.low, self.high = low - room, high + room

    def place(self, value: float) -> float:
        """Return the horizontal position of a value in pixels."""
        share = (value - self.low) / (self.high - self.low)
        return EDGE + share * (WIDTH - 2 * EDGE)

    def ticks(self) -> list[float]:
        """Return round numbers inside the range, about five of them."""
        rough = (self.high - self.low) / 5
        power = 10.0 ** math.floor(math.log10(rough))
        step = next(each * power for each in (1, 2, 5, 10) if each * power >= rough)
        first = math.ceil(self.low / step)
        last = math.floor(self.high / step)
        return [0.0 if i == 0 else i * step for i in range(first, last + 1)]


def axis_svg(scale: Scale) -> str:
    """Draw the axis below the charts of one scale."""
    ticks = scale.ticks()
    step = ticks[1] - ticks[0] if len(ticks) > 1 else max(abs(ticks[0]), 1.0) if ticks else 1.0
    digits = max(0, -math.floor(math.log10(step) + 1e-9))
    parts = []
    for tick in ticks:
        x = scale.place(tick)
        text = f"{tick:.{digits}f}".replace("-", "\N{MINUS SIGN}")
        parts.append(
            f'<line class="rule" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="4"/>'
            f'<text x="{x:.1f}" y="16" text-anchor="middle">{text}</text>'
        )
    rule = f'<line class="rule" x1="{EDGE}" x2="{WIDTH - EDGE}" y1="0.5" y2="0.5"/>'
    # hidden from screen readers because the label of each chart states its numbers
    return _svg(rule + "".join(parts), AXIS_HEIGHT, 'aria-hidden="true"')


def interval_svg(
    scale: Scale,
    estimate: float,
    low: float,
    high: float,
    *,
    chance: float,
    bounds: Sequence[float] = (),
    label: str,
) -> str:
    """Draw a mean with its interval."""
    middle = HEIGHT / 2
    parts = [_bounds(scale, bounds), _chance(scale, chance)]
    if math.isfinite(low) and math.isfinite(high):
        left, right = scale.place(low), scale.place(high)
        parts.append(
            f'<path class="mark" d="M{left:.1f} {middle}H{right:.1f}'
            f'M{left:.1f} {middle - 5}v10M{right:.1f} {middle - 5}v10"/>'
        )
    if math.isfinite(estimate):
        parts.append(f'<circle class="dot" cx="{scale.place(estimate):.1f}" cy="{middle}" r="4"/>')
    return _svg("".join(parts), HEIGHT, _image(label))


def distribution_svg(
    scale: Scale,
    values: Float64Array,
    *,
    chance: float,
    bounds: Sequence[float] = (),
    label: str,
) -> str:
    """Draw the density and quartiles of scores, and the single scores if there are few."""
    values = values[np.isfinite(values)]
    middle = HEIGHT / 2
    parts = [_bounds(scale, bounds), _chance(scale, chance)]
    if values.size:
        parts.append(_violin(scale, values, middle))
        low, half, high = np.quantile(values, [0.25, 0.5, 0.75])
        if values.size <= FEW:
            parts += [
                f'<circle class="point" cx="{scale.place(value):.1f}" cy="{middle}" r="2"/>'
                for value in values.tolist()
            ]
        x = scale.place(float(half))
        parts.append(
            f'<path class="mark" d="M{scale.place(float(low)):.1f} {middle}'
            f'H{scale.place(float(high)):.1f}M{x:.1f} {middle - 7}v14"/>'
        )
    return _svg("".join(parts), HEIGHT, _image(label))


def _violin(scale: Scale, values: Float64Array, middle: float) -> str:
    counts, edges = np.histogram(values, bins=BINS, range=(scale.low, scale.high))
    # smoothed over three bins because the histogram of a few images looks like a comb
    smooth = np.convolve(counts, [0.25, 0.5, 0.25], mode="same")
    heights = (middle - 2) * smooth / smooth.max()
    places = [scale.place(float(x)) for x in (edges[:-1] + edges[1:]) / 2]
    upper = [f"{x:.1f} {middle - h:.1f}" for x, h in zip(places, heights, strict=True)]
    lower = [f"{x:.1f} {middle + h:.1f}" for x, h in zip(places, heights, strict=True)]
    return f'<path class="area" d="M{"L".join([*upper, *reversed(lower)])}Z"/>'


def _chance(scale: Scale, chance: float) -> str:
    if not math.isfinite(chance) or not scale.low <= chance <= scale.high:
        return ""
    x = scale.place(chance)
    return f'<line class="chance" x1="{x:.1f}" x2="{x:.1f}" y1="0" y2="{HEIGHT}"/>'


def _bounds(scale: Scale, bounds: Sequence[float]) -> str:
    """Draw the score of a perfect map: a line if one value is known, or the area between two."""
    if not bounds:
        return ""
    left, right = scale.place(min(bounds)), scale.place(max(bounds))
    if len(bounds) == 1:
        return f'<line class="bound" x1="{left:.1f}" x2="{left:.1f}" y1="0" y2="{HEIGHT}"/>'
    width = max(right - left, 1.0)
    return f'<rect class="bounds" x="{left:.1f}" width="{width:.1f}" y="0" height="{HEIGHT}"/>'


def _image(label: str) -> str:
    return f'role="img" aria-label="{escape(label, quote=True)}"'


def _svg(inner: str, height: int, attributes: str) -> str:
    return f'<svg viewBox="0 0 {WIDTH} {height}" {attributes}>{inner}</svg>'
