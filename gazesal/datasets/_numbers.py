"""Find out how the numbers of a text table are written, and write them with points only."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

# Signs that separate thousands: blanks of several widths, and apostrophes as in Switzerland.
BLANKS = " \u00a0\u2009\u202f'\u2019"
GROUPED = r"[+-]?[1-9]\d{0,2}[.,]\d{3}"  # may have a decimal sign, or separate thousands
SIGNS = {".": "point", ",": "comma"}


def with_decimal_points(
    table: pd.DataFrame, columns: list[str], path: Path | str, decimal: str | None
) -> pd.DataFrame:
    """Return a table of text whose columns of numbers have decimal points and no thousands signs.

    Without `decimal`, the sign follows from numbers that can be read in one way only, such as 11,5
    or 1.203,5 or 1,203,500. A ValueError asks for `decimal` if none decides, or they differ.
    """
    # a table has few different numbers, of which the first rows are named in errors
    texts = pd.concat([table[name].drop_duplicates() for name in columns]).str.strip()
    texts = texts[texts.str.contains(r"\d") & texts.str.contains(f"[,.{BLANKS}]")]
    blanks = texts.str.contains(f"[{BLANKS}]").any()
    texts = texts.str.replace(rf"(?<=\d)[{BLANKS}](?=\d{{3}}(?!\d))", "", regex=True)
    place = f"{path}, {table.index.name}"
    sign = decimal or _decimal_sign(texts, place)
    if decimal is None and sign == ".":
        for name in columns:
            _require_no_grouping_points(table[name].drop_duplicates().str.strip(), place)
    if decimal == ",":
        points = texts[texts.str.contains(r"\.") & ~texts.str.match(_grouped("."))]
        if not points.empty:
            raise ValueError(
                f'{place} {points.index[0]}: got {points.iloc[0]!r} with decimal=",", with which '
                "points can only separate thousands. Remove them."
            )
    other = "," if sign == "." else "."
    if not blanks and sign == "." and not texts.str.contains(",").any():
        return table
    grouped = texts[texts.str.contains(other, regex=False)]
    odd = grouped[~grouped.str.match(_grouped(other))]
    if not odd.empty:
        raise ValueError(
            f"{place} {odd.index[0]}: got {odd.iloc[0]!r}, whose {SIGNS[other]} separates no "
            f"thousands, although the decimal sign is {sign!r}. Give `decimal`, or write all "
            "numbers in one way."
        )
    return table.assign(**{name: _rewritten(table[name], other) for name in columns})


def _rewritten(column: pd.Series, other: str) -> pd.Series:
    """Return numbers with points as decimal signs. `other` separates their thousands."""
    codes, values = pd.factorize(column)
    listed = pd.Series(values, dtype="str")
    texts = listed.str.replace(rf"(?<=\d)[{BLANKS}](?=\d{{3}}(?!\d))", "", regex=True)
    numbers = texts.str.contains(r"\d")
    plain = texts.str.replace(other, "", regex=False).str.replace(",", ".", regex=False)
    return texts.where(~numbers, plain).take(codes).set_axis(column.index)


def _require_no_grouping_points(texts: pd.Series, place: str) -> None:
    """Raise if points may separate thousands: 1.203 beside 547, and no number such as 547.5."""
    pointed = texts[texts.str.contains(r"\.\d")]
    whole = texts[texts.str.fullmatch(r"[+-]?\d{2,}")]
    if whole.empty or pointed.empty or not pointed.str.fullmatch(GROUPED).all():
        return
    raise ValueError(
        f"{place} {pointed.index[0]}: the point in {pointed.iloc[0]!r} may be a decimal sign or "
        f"separate thousands, because {whole.iloc[0]!r} has none. "
        'Use decimal="." or decimal=",".'
    )


def _grouped(sign: str) -> str:
    """Return the pattern of a number whose thousands are separated by a sign."""
    rest = r"(?:,\d*)?" if sign == "." else r"(?:\.\d*)?"
    return rf"[+-]?\d{{1,3}}(?:\{sign}\d{{3}})+{rest}$"


def _decimal_sign(texts: pd.Series, place: str) -> str:
    """Return the decimal sign of numbers, or raise if it is not clear."""
    commas, points = texts.str.count(","), texts.str.count(r"\.")
    last_comma = texts.str.rfind(",") > texts.str.rfind(".")
    both = (commas > 0) & (points > 0)
    looks_grouped = texts.str.fullmatch(GROUPED)
    alone = ~both & ~looks_grouped  # 1,203 may be read in both ways
    for_comma = (both & last_comma) | (points > 1) | (alone & (commas == 1))
    for_point = (both & ~last_comma) | (commas > 1) | (alone & (points == 1))
    if for_comma.any() and for_point.any():
        first, second = texts[for_comma].iloc[0], texts[for_point].iloc[0]
        raise ValueError(
            f"{place} {texts[for_comma].index[0]}: the decimal sign is not clear, got {first!r} "
            f"and {second!r}. Give `decimal`, or write all numbers in one way."
        )
    if for_comma.any():
        return ","
    if for_point.any() or not (commas > 0).any():
        return "."
    unclear = texts[commas > 0]
    raise ValueError(
        f"{place} {unclear.index[0]}: the comma in {unclear.iloc[0]!r} may be a decimal sign or "
        'separate thousands. Use decimal="," or decimal=".".'
    )
