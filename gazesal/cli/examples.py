"""Give a command for each source of gaze, which the help of the commands shows."""

__all__ = ["EVALUATE_EXAMPLES"]

EVALUATE_EXAMPLES = {
    "A table of fixations": (
        "gazesal evaluate --fixations fixations.csv --maps maps --size 800x600 \\\n"
        "    --sigma 24px --out results"
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
}
