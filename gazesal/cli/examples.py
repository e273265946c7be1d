"""Give a command for each source of gaze, which the help of the commands shows."""

__all__ = ["AUDIT_EXAMPLES", "EVALUATE_EXAMPLES"]

EVALUATE_EXAMPLES = {
    "A table of fixations": (
        "gazesal evaluate --fixations fixations.csv --maps maps --size 800x600 \\\n"
        "    --sigma 24px --out results"
    ),
    "With the score of a perfect map, and of each map on other images": (
        "gazesal evaluate --fixations fixations.csv --maps maps --size 800x600 \\\n"
        "    --sigma 24px --ceilings --controls other_gaze --out results"
    ),
    "With masks of lesions in regions/<label>/<image>.png": (
        "gazesal evaluate --fixations fixations.csv --maps maps --size 800x600 \\\n"
        "    --sigma 24px --regions regions --out results"
    ),
    "The export of a tracker": (
        "gazesal evaluate --fixations report.txt --format eyelink --display 1920x1080 \\\n"
        "    --placement center --size stimuli --maps maps --sigma 24px --out results"
    ),
    "One reader per image, as in EGD-CXR": (
        "gazesal evaluate --fixations fixations.csv --format egd-cxr --size sizes.csv \\\n"
        "    --maps maps --resize bilinear --sigma 100px --outside drop --ground-truth all \\\n"
        "    --out results"
    ),
    "Only heat maps of the gaze, as in SALICON": (
        "gazesal evaluate --gaze-maps gaze_maps --maps maps --ground-truth all --out results"
    ),
    "Fixations and heat maps made of them, as in SALICON": (
        "gazesal evaluate --fixations fixations --format salicon --gaze-maps gaze_maps \\\n"
        "    --maps maps --metric nss --metric ncc --ground-truth all --out results"
    ),
    "Maps of fixated pixels": (
        "gazesal evaluate --fixation-maps fixation_maps --maps maps --sigma 24px \\\n"
        "    --ground-truth all --out results"
    ),
    "Maps of fixated pixels in folders, as in CAT2000": (
        "gazesal evaluate --fixation-maps 'FIXATIONLOCS/{folder}/{image}' --maps maps \\\n"
        "    --pattern '{folder}/{image}' --sigma 24px --ground-truth all --out results"
    ),
    "A manifest that names the files of each image": (
        "gazesal evaluate --manifest manifest.csv --sigma 24px --out results"
    ),
    "REFLACX, the 91 images that five radiologists read": (
        "gazesal evaluate --reflacx reflacx-1.0.0 --maps maps --out results"
    ),
    "REFLACX, all 2,616 images": (
        "gazesal evaluate --reflacx reflacx-1.0.0 --phases 123 --readers 1 \\\n"
        "    --ground-truth all --maps maps --out results"
    ),
    "REFLACX, the maps of each class against the gaze while it was named": (
        "gazesal evaluate --reflacx reflacx-1.0.0 --regions ellipses --labels --maps maps \\\n"
        "    --resize bilinear --out results"
    ),
}

AUDIT_EXAMPLES = {
    "A table of fixations and a folder of maps": (
        "gazesal audit --fixations fixations.csv --maps maps --size 800x600"
    ),
    "With the pictures, and with durations in milliseconds": (
        "gazesal audit --fixations fixations.csv --maps maps --size 800x600 \\\n"
        "    --pictures pictures --duration-unit ms"
    ),
    "A manifest that names the files of each image": "gazesal audit --manifest manifest.csv",
    "REFLACX": "gazesal audit --reflacx reflacx-1.0.0 --maps maps --out audited",
}
