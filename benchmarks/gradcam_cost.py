"""Measure 14 Grad-CAM maps of one image of 288 x 288 on the CPU, relative to one forward pass.

    python benchmarks/gradcam_cost.py [--size 288] [--repeats 15] [--threads 1]

The baseline is the procedure of the study's code: a forward pass and a backward pass through the
whole network for each class. The three procedures alternate, and the median time is shown, so that
other work of the machine affects all of them alike. Maps are resized to the input in all of them.
The only check is that both procedures give the same maps.
"""

import argparse
import statistics
import time

import torch

from gazesal.adapters.gradcam import grad_cam
from gazesal.cxr import load_model


def forward(model, image):
    """Run one plain forward pass, as for a prediction."""
    with torch.no_grad():
        return model(image)


def one_backward_per_class(model, image):
    """Compute the maps of all classes, each with its own forward and backward pass."""
    modules = dict(model.named_modules())
    maps = []
    for c in range(14):
        kept = []

        def keep(_module, _inputs, output, kept=kept):
            features = output.clone()  # so that only this way to the logits counts
            features.retain_grad()
            kept.append(features)
            return features

        handles = [modules[name].register_forward_hook(keep) for name in model.cam_layers]
        model.zero_grad()
        model(image)[0, c].backward()
        for handle in handles:
            handle.remove()
        total = 0
        for features in kept:
            alpha = features.grad.mean(dim=(2, 3), keepdim=True)
            total = total + torch.nn.functional.interpolate(
                (alpha * features.detach()).sum(dim=1, keepdim=True),
                size=image.shape[2:],
                mode="bilinear",
            )
        maps.append((total / sum(f.shape[1] for f in kept)).clamp(min=0))
    return torch.cat(maps, dim=1)


def main():
    """Parse the arguments and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=288)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.size} x same")
    for name in ("sononet", "ag_sononet"):
        torch.manual_seed(0)
        model = load_model(name)
        image = torch.randn(1, 3, options.size, options.size)
        procedures = {
            "forward pass": lambda m=model, x=image: forward(m, x),
            "one batched backward pass": lambda m=model, x=image: grad_cam(m, x).maps,
            "one backward pass per class": lambda m=model, x=image: one_backward_per_class(m, x),
        }
        times = {procedure: [] for procedure in procedures}
        results = {procedure: call() for procedure, call in procedures.items()}
        expected = results["one backward pass per class"]
        difference = (results["one batched backward pass"] - expected).abs().max()
        if difference > 1e-5 * expected.abs().max():
            raise SystemExit(f"{name}: the maps differ by {difference}")
        for _ in range(options.repeats):
            for procedure, call in procedures.items():
                start = time.perf_counter()
                call()
                times[procedure].append(time.perf_counter() - start)
        base = statistics.median(times["forward pass"])
        print(f"{name}:")
        for procedure, taken in times.items():
            median = statistics.median(taken)
            print(f"  {procedure:28}{1e3 * median:9.1f} ms{median / base:8.2f} x")


if __name__ == "__main__":
    main()
