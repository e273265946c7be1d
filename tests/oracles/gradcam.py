"""Grad-CAM by its definition, with one backward pass for each image and class."""

import torch


def features_and_logits(model, layer, image):
    """Output of a layer for one image, copied, and the logits computed from the copy."""
    kept = []

    def keep(_module, _inputs, output):
        copy = output.detach().clone().requires_grad_()
        kept.append(copy)
        return copy * 1

    handle = dict(model.named_modules())[layer].register_forward_hook(keep)
    try:
        logits = model(image[None])
    finally:
        handle.remove()
    return kept[0], logits[0]


def weights_and_sums(model, layer, image):
    """For each class, the mean gradient of each channel and the weighted sum of channels."""
    _, logits = features_and_logits(model, layer, image)
    alphas, sums = [], []
    for c in range(len(logits)):
        features, logits = features_and_logits(model, layer, image)
        logits[c].backward()
        gradient = features.grad[0]
        alpha = [float(channel.double().sum()) / channel.numel() for channel in gradient]
        total = torch.zeros(features.shape[2:], dtype=torch.float64)
        for weight, channel in zip(alpha, features.detach()[0].double(), strict=True):
            total += weight * channel
        alphas.append(alpha)
        sums.append(total.tolist())
    model.zero_grad(set_to_none=True)
    return alphas, sums
