"""Test on drawn lesions that the steps from images to scores measure something true.

Run with a folder for the results. The script writes a synthetic release, trains both networks on
its images without gaze, and prints with intervals:

- the AUC of the test images by label,
- the paired difference of Grad-CAM from the center bias, against gaze and against drawn lesions,
  for maps mixed over all labels as in the study and for the map of each finding's own label,
- the paired difference of the readers from every network.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd

import gazesal
from gazesal.adapters.from_model import saliency_from_model
from gazesal.cxr import label_aucs, load_model, preprocess
from gazesal.cxr.training import LabeledImages, TrainingSettings, predict, train
from gazesal.datasets.synthetic_reflacx.findings import FINDINGS
from gazesal.stats import Design

SETTINGS = TrainingSettings.preset("smoke").with_changes(epochs=14)
NAMES = {"sononet": "woAG", "ag_sononet": "wAG"}


def prepare(image):
    """Make the networks' input at the size of the training."""
    return preprocess(image, short_side=SETTINGS.evaluation_shortest_dimension)


def lesion_density(lesions, shape):
    """Return the density of the lesions of an image: ellipses with equal weights."""
    y, x = np.mgrid[: shape[0], : shape[1]]
    density = np.zeros(shape)
    for row in lesions.itertuples():
        inside = ((x - row.x) / row.half_axis_x) ** 2 + ((y - row.y) / row.half_axis_y) ** 2 <= 1
        if inside.any():
            density += inside / inside.sum()
    return density


def score_lesions(evaluation, table):
    """Compute the sAUC of each map against the lesions, with negatives from the center bias."""
    rows = []
    for case in evaluation.cases:
        lesions = table[(table["dicom_id"] == case.image) & (table["kind"] != "device")]
        if not case.scored or lesions.empty:
            continue
        density = lesion_density(lesions, case.shape)
        maps = evaluation.maps_of(case.image)
        bias = maps["center_bias"]
        for method, values in maps.items():
            score = gazesal.sauc(values, density, bias)
            rows.append({"method": method, "metric": "sauc", "image": case.image, "score": score})
    return pd.DataFrame(rows)


def score_own(evaluation, table, of_label):
    """Compute the mean sAUC over an image's findings, each for the map of its own label."""
    rows = []
    for case in evaluation.cases:
        lesions = table[(table["dicom_id"] == case.image) & (table["kind"] != "device")]
        if not case.scored or lesions.empty:
            continue
        bias = evaluation.maps_of(case.image)["center_bias"]
        scores = {"center_bias": []} | {short: [] for short in of_label}
        for kind, drawn in lesions.groupby("kind"):
            density = lesion_density(drawn, case.shape)
            scores["center_bias"].append(gazesal.sauc(bias, density, bias))
            for short, maps in of_label.items():
                own = maps[FINDINGS[kind].chexpert[0]][case.image]()
                scores[short].append(gazesal.sauc(own, density, bias))
        for method, found in scores.items():
            score = np.mean(found)
            rows.append({"method": method, "metric": "sauc", "image": case.image, "score": score})
    return pd.DataFrame(rows)


def show(title, table):
    """Print a table under a title."""
    print(f"\n{title}\n\n{gazesal.reporting.summary_text(table)}", flush=True)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--images", type=int, default=150)
    parser.add_argument("--unread", type=int, default=1400)
    options = parser.parse_args()
    root = options.out / "release"
    gazesal.datasets.write_synthetic_reflacx(
        root, n_images=options.images, n_unread=options.unread, side=144, seed=0
    )
    release, mimic = (
        gazesal.datasets.Reflacx(root),
        gazesal.datasets.MimicCxrJpg(root / "mimic-cxr-jpg"),
    )
    images = LabeledImages.from_mimic(mimic, gaze_subjects=release.subjects())
    print(f"gazesal {gazesal.__version__}: {images}", flush=True)
    test = images.where("test")
    paths = {
        release.readings["dicom_id"][release.readings["image"] == image].iloc[0]: (
            release.picture_path(image, root / "mimic-cxr-jpg")
        )
        for image in release.kept_by_all()
    }
    maps, of_label = {}, {}
    for name, short in NAMES.items():
        start = time.perf_counter()
        trained = train(
            images,
            options.out / name,
            model=name,
            settings=SETTINGS,
            trainer={"accelerator": "cpu"},
        )
        print(f"\n{short}: {trained!r}, {time.perf_counter() - start:.0f} s")
        model = load_model(name, trained.weights)
        logits = predict(model, images, settings=SETTINGS)
        patients = [images.patients[row] for row in test]
        aucs = label_aucs(images.targets[test], logits, images.labels, patients=patients)
        print(aucs.round(3).to_string(index=False), flush=True)
        for scheme in ("uniform", "weighted", "thresholded"):
            maps[f"{short} {scheme}"] = saliency_from_model(
                model, paths, preprocess=prepare, scheme=scheme, inverse="study"
            )
        of_label[short] = {
            label: saliency_from_model(
                model, paths, preprocess=prepare, classes=[k], inverse="study"
            )
            for k, label in enumerate(images.labels)
        }
    for gate in (0, 1):
        maps[f"AM{gate + 1}"] = saliency_from_model(
            model, paths, "attention", preprocess=prepare, gate=gate, inverse="study"
        )
    cases = gazesal.cases_from_reflacx(release, maps)
    evaluation = gazesal.evaluate(cases, outside="keep")
    gaze = gazesal.stats.interval_table(
        evaluation.scores,
        Design("image", averaged="observer", missing="drop", unbalanced="average"),
        by=["method", "metric"],
        interval="bca",
        rng=0,
    )
    show("Against the gaze of the other readers (BCa over images)", gaze)
    drawn = pd.read_csv(root / "lesions.csv")
    lesions = score_lesions(evaluation, drawn)
    own = score_own(evaluation, drawn, of_label)
    kept = lesions[lesions["method"].isin(["center_bias", "woAG uniform", "wAG uniform"])]
    for title, scores, compared in (
        ("Against the lesions that were drawn (BCa over images)", lesions, kept),
        ("Each finding by the map of its own label (BCa over images)", own, own),
    ):
        by = ["method", "metric"]
        show(
            title,
            gazesal.stats.interval_table(scores, Design("image"), by=by, interval="bca", rng=0),
        )
        print(gazesal.stats.compare(compared, Design("image"), reference="center_bias", rng=0))
    by_gaze = evaluation.scores[evaluation.scores["metric"].isin(["sauc", "sncc"])]
    readers = Design("image", averaged="observer", missing="drop", unbalanced="average")
    print("\nThe readers minus each map, paired by image")
    print(gazesal.stats.compare(by_gaze, readers, reference="interobserver", by="metric", rng=0))


if __name__ == "__main__":
    main()
