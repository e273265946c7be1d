"""Measure the throughput of Grad-CAM and metrics on a GPU, and compare the numbers with the CPU.

    python benchmarks/gradcam_gpu.py [--size 288] [--batches 1 8 32 128] [--repeats 20]

First, every number is compared with the number from the CPU, in float64 and to 1e-9 of the
maximum, so that rounding to float32 on the GPU does not hide an error. Then the images per second
of a plain forward pass, of all 14 maps and of exact AUCs of a batch are shown, each after a warm-up
and with the device synchronized. The program stops with a message if there is no GPU.
"""

import argparse
import statistics
import time

import torch

from gazesal.adapters.attention_gates import attention_maps
from gazesal.adapters.batched import auc_scores, ncc_scores
from gazesal.adapters.gradcam import grad_cam
from gazesal.cxr import load_model

NAMES = ("sononet", "ag_sononet")


def require_close(name, there, here, tolerance):
    """Stop unless the numbers of both devices agree."""
    difference = (there.cpu() - here).abs().max() / here.abs().max().clamp(min=1e-300)
    print(f"  {name:34}{difference.item():10.1e}")
    if not difference <= tolerance:
        raise SystemExit(f"{name}: GPU and CPU differ by {difference:g}, more than {tolerance:g}")


def compare(size):
    """Compare GPU and CPU in float64."""
    print("largest difference from the CPU in float64, relative to the maximum:")
    generator = torch.Generator().manual_seed(0)
    images = torch.randn((3, 3, size, size), generator=generator, dtype=torch.float64)
    for name in NAMES:
        torch.manual_seed(0)
        model = load_model(name).double()
        here, there = grad_cam(model.cpu(), images), grad_cam(model.cuda(), images)
        require_close(f"{name}, logits", there.logits, here.logits, 1e-9)
        require_close(f"{name}, maps", there.maps, here.maps, 1e-9)
        if name == "ag_sononet":
            gates = attention_maps(model.cuda(), images).maps
            require_close("attention", gates, attention_maps(model.cpu(), images).maps, 1e-9)
    saliency, gaze, bias = torch.rand((3, 8, size, size), generator=generator, dtype=torch.float64)
    saliency = (saliency * 1000).round()  # ties
    for name, function, given in (
        ("NCC", ncc_scores, (saliency, gaze)),
        ("AUC", auc_scores, (saliency, gaze)),
        ("sAUC", auc_scores, (saliency, gaze, bias)),
    ):
        there = function(*(values.cuda() for values in given))
        require_close(name, there, function(*given), 1e-12)


def seconds(call, repeats):
    """Return the median time of a call, with the device synchronized."""
    for _ in range(3):
        call()
    taken = []
    for _ in range(repeats):
        torch.cuda.synchronize()
        start = time.perf_counter()
        call()
        torch.cuda.synchronize()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def forward(model, images):
    """Run a plain forward pass."""
    with torch.no_grad():
        return model(images)


def main():
    """Parse the arguments and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--size", type=int, default=288)
    parser.add_argument("--batches", type=int, nargs="+", default=[1, 8, 32, 128])
    parser.add_argument("--repeats", type=int, default=20)
    options = parser.parse_args()
    if not torch.cuda.is_available():
        raise SystemExit("there is no CUDA device here")
    print(f"torch {torch.__version__}, {torch.cuda.get_device_name()}, {options.size} x same")
    compare(min(options.size, 96))
    procedures = {
        "forward pass": forward,
        "Grad-CAM of 14 classes": lambda m, x: grad_cam(m, x).maps,
    }
    for name in NAMES:
        torch.manual_seed(0)
        model = load_model(name).cuda()
        print(f"{name}: images per second, and time relative to a forward pass")
        for n in options.batches:
            images = torch.randn((n, 3, options.size, options.size), device="cuda")
            taken = {
                procedure: seconds(lambda c=call, x=images, m=model: c(m, x), options.repeats)
                for procedure, call in procedures.items()
            }
            base = taken["forward pass"]
            shown = (
                f"{procedure} {n / t:9.0f} ({t / base:5.2f} x)" for procedure, t in taken.items()
            )
            print(f"  batch {n:4}: " + ", ".join(shown))
    saliency, gaze = torch.rand((2, 32, options.size, options.size), device="cuda")
    taken = seconds(lambda: auc_scores(saliency, gaze), options.repeats)
    print(f"exact AUC: {32 / taken:9.0f} maps per second in batches of 32")
    torch.cuda.reset_peak_memory_stats()
    before = torch.cuda.memory_allocated()
    for _ in range(1000 // 8):
        grad_cam(model, torch.zeros((8, 3, 96, 96)))
    print(f"memory after 1000 images: {torch.cuda.memory_allocated() - before:+} bytes")


if __name__ == "__main__":
    main()
