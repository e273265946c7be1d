"""What 14 maps of one image of 288 x 288 cost, relative to one forward pass on the CPU.

    python benchmarks/gradcam_cost.py [--size 288] [--repeats 15] [--threads 1]

The baseline is the way of the study's code: for each class a forward pass of its own and a backward
pass through the whole network. Times alternate between the ways, and the median is shown, so that
whatever else the machine does falls on all of them alike. Maps count up to the resolution of the
input. Nothing is asserted but that all ways give the same maps.
"""

import argparse
import statistics
import time

import torch

from gazesal.adapters.gradcam import grad_cam
from gazesal.cxr import load_model


def forward(model, image):
    """One plain forward pass, as for a prediction."""
    with torch.no_grad():
        return model(image)


def one_backward_a_class(model, image):
    """Alphas of every class, each from a forward and a backward pass of its own."""
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
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=288)
    parser.add_argument("--repeats", type=int, default=15)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.n_threads)
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {options.size} x same")
    for name in ("sononet", "ag_sononet"):
        torch.manual_seed(0)
        model = load_model(name)
        image = torch.randn(1, 3, options.size, options.size)
        ways = {
            "forward pass": lambda m=model, x=image: forward(m, x),
            "closed form": lambda m=model, x=image: grad_cam(m, x, method="closed_form").maps,
            "batched gradients": lambda m=model, x=image: grad_cam(m, x, method="gradients").maps,
            "one backward a class": lambda m=model, x=image: one_backward_a_class(m, x),
        }
        times = {way: [] for way in ways}
        results = {way: call() for way, call in ways.items()}
        for way in ("closed form", "batched gradients"):
            difference = (results[way] - results["one backward a class"]).abs().max()
            if difference > 1e-5 * results[way].abs().max():
                raise SystemExit(f"{name}: the maps by {way} differ by {difference}")
        for _ in range(options.repeats):
            for way, call in ways.items():
                start = time.perf_counter()
                call()
                times[way].append(time.perf_counter() - start)
        base = statistics.median(times["forward pass"])
        print(f"{name}:")
        for way, taken in times.items():
            median = statistics.median(taken)
            print(f"  {way:22}{1e3 * median:9.1f} ms{median / base:8.2f} x")


if __name__ == "__main__":
    main()
