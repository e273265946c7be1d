"""Read the fixations of FIGRIM."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from gazesal.datasets.gaze_formats._files import file_in
from gazesal.datasets.gaze_formats._matlab import points, read_mat, records, text
from gazesal.datasets.gaze_formats._rows import omit, reading, table_of

SIZE = (1000, 1000)  # (H, W) of every image
VIEWS = ("enc", "rec", "rec2")  # the first, second and third time that a person saw the image


def read_figrim(path: Path) -> pd.DataFrame:
    """Read ``allImages_release.mat`` or ``allImages_fillers.mat`` of FIGRIM.

    A person may see an image up to three times, which the column view distinguishes.
    """
    rows = []
    with reading(path, "FIGRIM's allImages"):
        content = read_mat(file_in(path, "allImages_release.mat"))
        (images,) = (value for name, value in content.items() if name[:2] != "__")
        initials = _initials(images)
        for image in records(images):
            for number, person in enumerate(records(image["userdata"]), 1):
                for looked in records(person["fixations"]):
                    for view in (view for view in VIEWS if view in looked):
                        places = points(looked[view]) - 1
                        rows.append(
                            {
                                "image": text(image["filename"]),
                                "observer": initials[number],
                                "x": places[:, 0],
                                "y": places[:, 1],
                                "view": view,
                                "order": np.arange(1, len(places) + 1),
                            }
                        )
    return omit(table_of(rows, path, size=SIZE))


def _initials(images: Any) -> dict[int, str]:
    """Return the initials of each person, with the number of the person if two share them.

    A person has the same position on all images, and no initials on images not seen.
    """
    found = {
        number: text(person["sinit"])
        for image in records(images)
        for number, person in enumerate(records(image["userdata"]), 1)
        if text(person["sinit"])
    }
    times = Counter(found.values())
    return {
        number: name if times[name] == 1 else f"{name}-{number}" for number, name in found.items()
    }
