"""Fakes of the interfaces of libraries that need another version of torch.

The facts are the libraries' own: which arguments they take, what they return, that grad-cam
rescales each layer's map and then their mean and takes as many images as there are targets, that
torch-cam sets negative values to zero first and returns one map a layer, and that torchxrayvision's
classifiers apply a sigmoid and a calibration where operating points are set. ``make test-cams``
runs the same tests on the real libraries.
"""

import numpy as np
import torch
from torch import nn
from torch.nn import functional


class _Hooked:
    def __init__(self, model, layers):
        self.model, self.layers = model.eval(), layers

    def features(self, images):
        """Return the logits, and the features of each layer, which get a gradient later."""
        kept = []
        handles = [
            layer.register_forward_hook(lambda _m, _a, out: kept.append(out))
            for layer in self.layers
        ]
        logits = self.model(images)
        for handle in handles:
            handle.remove()
        return logits, kept


def _cams(logits, targets, features):
    loss = sum(target(row) for target, row in zip(targets, logits, strict=False))
    gradients = torch.autograd.grad(loss, features, retain_graph=True)
    return [
        (g.mean(dim=(2, 3), keepdim=True) * f).sum(dim=1).clamp(min=0).detach()
        for g, f in zip(gradients, features, strict=True)
    ]


def _rescaled(maps):
    low = maps.amin(dim=(1, 2), keepdim=True)
    return (maps - low) / (1e-7 + (maps - low).amax(dim=(1, 2), keepdim=True))


class GradCAM(_Hooked):
    """Fake of the package grad-cam."""

    def __init__(self, model, target_layers):
        super().__init__(model, target_layers)

    def __call__(self, input_tensor, targets=None):
        logits, features = self.features(input_tensor)
        size = input_tensor.shape[2:]
        maps = [
            _rescaled(functional.interpolate(cam[:, None], size, mode="bilinear")[:, 0])
            for cam in _cams(logits, targets, features)
        ]
        return np.asarray(_rescaled(torch.stack(maps).mean(dim=0)))


class TorchCamGradCAM(_Hooked):
    """Fake of torch-cam, whose hooks stay and whose caller runs the model."""

    def __init__(self, model, target_layer):
        layer = dict(model.named_modules())[target_layer]
        super().__init__(model, [layer])
        self.hook = layer.register_forward_hook(lambda _m, _a, out: setattr(self, "kept", out))

    def __call__(self, class_idx, scores, normalized=True, retain_graph=False):
        targets = [lambda row, c=c: row[c] for c in class_idx]
        assert retain_graph, "the next class needs the graph too"
        assert len(class_idx) == len(scores)
        maps = _cams(scores, targets, [self.kept])
        return [_rescaled(m) for m in maps] if normalized else maps


class XrvDenseNet(nn.Module):
    """Fake of torchxrayvision."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1), nn.BatchNorm2d(6))
        self.classifier = nn.Linear(6, 4)
        self.apply_sigmoid = False
        self.register_buffer("op_threshs", torch.tensor([0.1, 0.2, 0.3, 0.4]))

    def forward(self, x):
        out = functional.relu(self.features(x), inplace=True)
        out = self.classifier(functional.adaptive_avg_pool2d(out, (1, 1)).flatten(1))
        if self.apply_sigmoid:
            out = torch.sigmoid(out)
        if self.op_threshs is not None:
            p, t = torch.sigmoid(out), self.op_threshs
            out = torch.where(p < t, p / (2 * t), 1 - (1 - p) / (2 * (1 - t)))
        return out
