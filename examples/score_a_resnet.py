"""Score the Grad-CAM of a ResNet in plain torch against gaze. Needs gazesal[torch]."""

import numpy as np
import pandas as pd
import torch
from torch import nn

import gazesal
from gazesal import InputGeometry
from gazesal.adapters.from_model import saliency_from_model


class Block(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.one, self.two = nn.Conv2d(n_in, n_out, 3, 2, 1), nn.Conv2d(n_out, n_out, 3, 1, 1)
        self.skip = nn.Conv2d(n_in, n_out, 1, 2)

    def forward(self, x):
        return torch.relu(self.skip(x) + self.two(torch.relu(self.one(x))))


def preprocess(image):  # the geometry inverts the stretching exactly
    tensor = torch.from_numpy(gazesal.resample(image, (64, 64))).float()[None]
    return tensor, InputGeometry.stretched(image.shape, (64, 64))


torch.manual_seed(0)  # random weights, to be replaced by yours
resnet = nn.Sequential(Block(1, 8), Block(8, 16), nn.AvgPool2d(16), nn.Flatten(), nn.Linear(16, 3))
rng, rows = np.random.default_rng(0), []
images = {str(i): rng.random((48, 80)) for i in range(6)}  # or files by name
for name in images:  # each has a bright spot, at which two observers look
    x, y = rng.uniform([20, 15], [60, 33])
    images[name] += 400 * gazesal.gaze_heatmap([(x, y)], (48, 80), sigma=4)
    rows += [(name, who, *rng.normal([x, y], 2), 1.0) for who in ("ann", "bob") for _ in range(9)]
fixations = pd.DataFrame(rows, columns=["image", "observer", "x", "y", "duration"])
maps = saliency_from_model(resnet, images, preprocess=preprocess)
cases = gazesal.cases_from_tables(fixations, {"Grad-CAM": maps}, (48, 80))
print(gazesal.reporting.summary_text(gazesal.evaluate(cases, sigma=4.0).summary()))
