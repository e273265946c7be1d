"""Train both networks on real chest X-rays, pneumonia against normal, on a CPU in minutes.

Run with the folder of the images (`images_128.npz`, `labels.csv`: 500 of each kind of the NIH's
ChestX-ray14, 128 x 128) and a folder for the results. The data are confounded: normal images come
from a narrow range of patient numbers, and views differ between the two kinds. The script also
prints the AUC of the view alone. The distance of the patient number from the normal ones has an AUC
as high as the networks.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from matplotlib.figure import Figure

import gazesal
from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.gradcam import grad_cam
from gazesal.cxr import label_aucs, load_model, preprocess
from gazesal.cxr.training import LabeledImages, TrainingSettings, predict, train

SETTINGS = TrainingSettings.preset("smoke").with_changes(
    epochs=12,
    batch_size=32,
    shortest_dimension=112,
    center_crop=112,
    evaluation_shortest_dimension=112,
)


def read(folder):
    """Read the images, split by patient in 70, 10 and 20 percent, and their views."""
    table = pd.read_csv(folder / "labels.csv")
    pixels = np.load(folder / "images_128.npz", allow_pickle=False)
    pixels = pixels[pixels.files[0]]
    patients = table["patient_id"].unique()
    share = np.random.default_rng(0).permutation(len(patients)) / len(patients)
    split = np.array(["train", "validate", "test"])[np.digitize(share, [0.7, 0.8])]
    images = LabeledImages(
        names=table["file"],
        sources=list(pixels),
        targets=table[["pneumonia"]].to_numpy() == 1,
        labels=["Pneumonia"],
        split=table["patient_id"].map(dict(zip(patients, split, strict=True))),
        patients=table["patient_id"],
    )
    return images, (table["view"] == "AP").to_numpy()


def show(name, images, scores):
    """Print one line with the AUC of the test images and its interval."""
    rows = images.where("test")
    patients = [images.patients[row] for row in rows]
    row = label_aucs(images.targets[rows], scores, images.labels, patients=patients).iloc[0]
    print(
        f"{name:12} AUC {row['auc']:.3f} [{row['low']:.3f}, {row['high']:.3f}], "
        f"{row['n_positive']} of {row['n_images']} images of {row['n_patients']} patients"
    )


def draw(models, images, path, n=6):
    """Plot Grad-CAM and attention maps of held-out images, pneumonia above normal."""
    rows = images.where("test")
    kinds = images.targets[rows, 0]
    chosen = [*rows[kinds][: n // 2], *rows[~kinds][: n // 2]]
    titles = ["image", "Grad-CAM woAG", "Grad-CAM wAG", "AM1", "AM2"]
    figure = Figure(figsize=(10, 2.1 * n), layout="constrained")
    axes = figure.subplots(n, len(titles))
    for line, row in zip(axes, chosen, strict=True):
        pixels = images.sources[row]
        tensor, geometry = preprocess(pixels, short_side=SETTINGS.evaluation_shortest_dimension)
        cams = {name: grad_cam(model, tensor) for name, model in models.items()}
        found = [*cams.values(), attention_maps(models["ag_sononet"], tensor)]
        *of_classes, gates = (each.on_image(geometry, inverse="study") for each in found)
        maps = [None, *(each[0] for each in of_classes), *gates]
        for ax, title, values in zip(line, titles, maps, strict=True):
            ax.imshow(pixels, cmap="gray")
            if values is not None:
                ax.imshow(values.numpy(), cmap="inferno", alpha=0.5)
            ax.set_axis_off()
            ax.set_title(title, fontsize=9)
        chances = [torch.sigmoid(cam.logits[0, 0]).item() for cam in cams.values()]
        kind = "pneumonia" if images.targets[row, 0] else "normal"
        line[0].set_title(f"{kind}: {chances[0]:.2f}, {chances[1]:.2f}", fontsize=9)
    figure.savefig(path, dpi=80)


def main():
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--workers", type=int, default=0)
    options = parser.parse_args()
    images, from_ap = read(options.data)
    print(f"gazesal {gazesal.__version__}: {images}")
    train_rows = images.where("train")
    sick = images.targets[train_rows, 0]
    sign = 1 if from_ap[train_rows][sick].mean() > from_ap[train_rows][~sick].mean() else -1
    show("the view", images, sign * from_ap[images.where("test"), None].astype(float))
    models = {}
    for name in ("sononet", "ag_sononet"):
        start = time.perf_counter()
        trained = train(
            images,
            options.out / name,
            model=name,
            settings=SETTINGS,
            workers=options.workers,
            trainer={"accelerator": "cpu"},
        )
        seconds = time.perf_counter() - start
        models[name] = load_model(name, trained.weights, n_classes=1)
        show(name, images, predict(models[name], images, settings=SETTINGS))
        print(f"{'':12} {trained!r}, {seconds:.0f} s")
    draw(models, images, options.out / "maps.png")


if __name__ == "__main__":
    main()
