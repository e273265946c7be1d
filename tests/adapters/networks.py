"""Small networks of common types, in plain torch."""

import torch
from torch import nn
from torch.nn import functional


class Block(nn.Module):
    """A residual block: one ReLU module that runs twice, in place."""

    def __init__(self, n):
        super().__init__()
        self.conv1, self.bn1 = nn.Conv2d(n, n, 3, padding=1), nn.BatchNorm2d(n)
        self.conv2, self.bn2 = nn.Conv2d(n, n, 3, padding=1), nn.BatchNorm2d(n)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, x):
        out = self.relu(self.bn1(self.conv1(x)))
        out = self.bn2(self.conv2(out))
        out += x
        return self.relu(out)


class ResNet(nn.Module):
    """Linear after pooling."""

    def __init__(self, n_classes=5, channels=3):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, 6, 3, stride=2, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.layer3 = nn.Sequential(Block(6))
        self.layer4 = nn.Sequential(nn.Conv2d(6, 8, 3, padding=1), nn.ReLU(inplace=True), Block(8))
        self.avgpool = nn.AdaptiveAvgPool2d((1, 1))
        self.drop = nn.Dropout(0.5)
        self.fc = nn.Linear(8, n_classes)

    def forward(self, x):
        x = self.layer4(self.layer3(self.relu(self.conv1(x))))
        return self.fc(self.drop(torch.flatten(self.avgpool(x), 1)))


class DenseNet(nn.Module):
    """A functional ReLU, in place, right after the features."""

    def __init__(self, n_classes=5):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 7, 3, padding=1), nn.BatchNorm2d(7))
        self.classifier = nn.Linear(7, n_classes)

    def forward(self, x):
        out = functional.relu(self.features(x), inplace=True)
        return self.classifier(functional.adaptive_avg_pool2d(out, (1, 1)).flatten(1))


class Perceptron(nn.Module):
    """Two linear layers with a ReLU between them."""

    def __init__(self, n_classes=5, size=8):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Tanh())
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(4 * size * size, 6), nn.ReLU(), nn.Linear(6, n_classes)
        )

    def forward(self, x):
        return self.classifier(self.features(x))


class FlatLinear(nn.Module):
    """Linear, with a weight for every place."""

    def __init__(self, n_classes=5, size=8):
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.classifier = nn.Linear(4 * size * size, n_classes)

    def forward(self, x):
        return self.classifier(self.features(x).flatten(1))


class Weighing(nn.Module):
    """Linear in the features, with weights that depend on the image."""

    def __init__(self, n_classes=5):
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.gate = nn.Conv2d(3, 1, 3, padding=1)
        self.classifier = nn.Linear(4, n_classes)

    def forward(self, x):
        return self.classifier((self.features(x) * torch.sigmoid(self.gate(x))).mean(dim=(2, 3)))


class Hyper(nn.Module):
    """Linear in the features, with weights that depend on the batch."""

    def __init__(self, n_classes=5):
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3, padding=1)
        self.make = nn.Linear(3, 4 * n_classes)

    def forward(self, x):
        weights = self.make(x.mean(dim=(0, 2, 3))).reshape(-1, 4)
        return functional.linear(self.features(x).mean(dim=(2, 3)), weights)


class Fully(nn.Module):
    """Class maps by a convolution, then their mean."""

    def __init__(self, n_classes=5):
        super().__init__()
        self.features = nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU())
        self.head = nn.Conv2d(4, n_classes, 1)

    def forward(self, x):
        return self.head(self.features(x)).mean(dim=(2, 3))


class Returning(nn.Module):
    """A network that returns a function of its logits."""

    def __init__(self, wrap):
        super().__init__()
        self.inner, self.wrap = ResNet(), wrap

    def forward(self, x):
        return self.wrap(self.inner(x))


# a network, and the name of the layer whose features are explained
ALL = {
    "ResNet": (ResNet, "layer4"),
    "FlatLinear": (FlatLinear, "features"),
    "Fully": (Fully, "features"),
    "DenseNet": (DenseNet, "features"),
    "Perceptron": (Perceptron, "features"),
    "Weighing": (Weighing, "features"),
    "Hyper": (Hyper, "features"),
    "deeper": (ResNet, "layer3"),
}


def make(kind, seed=0):
    """Return a network with random weights and running statistics."""
    torch.manual_seed(seed)
    model = kind()
    for module in model.modules():
        if isinstance(module, nn.BatchNorm2d):
            nn.init.normal_(module.running_mean, 0, 0.3)
            nn.init.uniform_(module.running_var, 0.5, 2)
    return model.eval()


def batch(n=3, shape=(8, 8), seed=1, channels=3):
    """Return random images."""
    return torch.randn((n, channels, *shape), generator=torch.Generator().manual_seed(seed))
