"""Find the attention maps of VQA-HAT, which has no fixations."""

import re
from pathlib import Path

import pandas as pd

from gazesal.datasets._json import parse_json
from gazesal.datasets.gaze_formats._files import files_in
from gazesal.datasets.gaze_formats._rows import reading

MAP = re.compile(r"(?P<question>\d+)_(?P<person>\d+)")


def read_vqa_hat(path: Path, *, questions: str | Path | None = None) -> pd.DataFrame:
    """Find the maps ``<question>_<person>.png`` of VQA-HAT in a folder and its subfolders.

    The columns are image, observer, question and map, the path of a file that `read_map` reads.
    Images are named by the questions of VQA 1.0, a JSON file. By default, it is the JSON file in
    the folder or beside it whose name contains "questions".
    """
    names = _images(path, questions)
    rows = []
    for file in files_in(path, "*.png"):
        found = MAP.fullmatch(file.stem)
        if found:
            rows.append(
                (names.get(int(found["question"])), found["person"], found["question"], file)
            )
    table = pd.DataFrame(rows, columns=["image", "observer", "question", "map"])
    lost = table["image"].isna()
    if table.empty or lost.any():
        example = table.loc[lost, "question"].iloc[0] if lost.any() else None
        raise ValueError(
            f"{path}: every map must be named <question>_<person>.png after a question in "
            f"`questions`, got {len(table)} maps and {int(lost.sum())} without a question"
            f"{'' if example is None else f', such as {example}'}. Give the questions of its part."
        )
    table.attrs["source"] = str(path)
    return table


def _images(path: Path, questions: str | Path | None) -> dict[int, str]:
    """Return the image of each question."""
    found = [Path(questions)] if questions is not None else []
    for folder in (path, path.parent) if not found else ():
        found = found or sorted(folder.glob("*questions*.json"))
    if not found:
        raise ValueError(
            f"{path}: `questions` must name the images of the maps, got no JSON file of questions. "
            "Give the questions of VQA 1.0."
        )
    names: dict[int, str] = {}
    for file in found:
        with reading(file, "questions of VQA"):
            listed = parse_json(file.read_text("utf-8-sig"))["questions"]
            names |= {int(each["question_id"]): str(each["image_id"]) for each in listed}
    return names
