"""Compare two methods on the same images, and plan the next study.

The scores are simulated: 40 images, three readers, and a method that is better by 0.03.
"""

import numpy as np
import pandas as pd

import gazesal


def make_scores(n_images=40, n_readers=3):
    """Return a table with a row for each score, as `Evaluation.scores` has."""
    rng = np.random.default_rng(0)
    image, reader = np.indices((n_images, n_readers)).reshape(2, -1)
    easy = rng.normal(0.60, 0.08, n_images)[image]
    parts = [
        pd.DataFrame({"image": image, "observer": reader, "method": method, "score": easy + lead})
        for method, lead in (("old", 0.0), ("new", 0.03))
    ]
    table = pd.concat(parts, ignore_index=True)
    return table.assign(score=table["score"] + rng.normal(0, 0.04, len(table)))


def main():
    scores = make_scores()
    design = gazesal.stats.Design("image", averaged="observer")

    print("Intervals of each method, which overlap:")
    for row in gazesal.stats.interval_table(scores, design, by="method").itertuples():
        print(f"  {row.method}: {row.estimate:.3f} [{row.low:.3f}, {row.high:.3f}]")

    (found,) = gazesal.stats.compare(scores, design, reference="old", margin=0.05, rng=0)
    print("\nPaired difference over images:")
    print(f"  {found}")
    print(f"  higher on {found.share_higher:.0%} of the images")

    wide = scores.pivot(index=["image", "observer"], columns="method", values="score")
    difference = (wide["new"] - wide["old"]).rename("score").reset_index()
    parts = gazesal.stats.variance_components(
        difference, gazesal.stats.Design(["image", "observer"])
    )
    plan = gazesal.stats.plan_study(
        parts, 0.01, units="image", sizes={"observer": [3, 5]}, fixed="observer"
    )
    print("\nImages needed for a difference with a margin of error of 0.01:")
    print(plan.to_string(index=False))


if __name__ == "__main__":
    main()
