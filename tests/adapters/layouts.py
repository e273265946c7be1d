"""Small networks with different layouts of features: late or early, channels first or last."""

import torch
from torch import nn
from torch.nn import functional


class Attention(nn.Module):
    """Self-attention with norms of queries and keys, and a dropout of its weights."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.heads = heads
        self.qkv, self.proj = nn.Linear(width, 3 * width), nn.Linear(width, width)
        self.q_norm, self.k_norm = (nn.LayerNorm(width // heads) for _ in range(2))
        self.attn_drop = nn.Dropout(0.1)

    def forward(self, x):
        n, t, c = x.shape
        q, k, v = self.qkv(x).view(n, t, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        weights = (self.q_norm(q) @ self.k_norm(k).transpose(-1, -2) / 4).softmax(-1)
        return self.proj((self.attn_drop(weights) @ v).transpose(1, 2).reshape(n, t, c))


class Block(nn.Module):
    """Block of a transformer, on tokens (N, T, C) or (N, H, W, C)."""

    def __init__(self, width, heads=2):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        self.attn = Attention(width, heads)
        self.mlp = nn.Sequential(
            nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width)
        )

    def forward(self, x):
        tokens = x.flatten(1, -2)
        x = x + self.attn(self.norm1(tokens)).view_as(x)
        return x + self.mlp(self.norm2(x))


class ViT(nn.Module):
    """Patch embedding, blocks on tokens, a class token or a mean."""

    def __init__(self, class_token=True, heads=2, width=16):
        super().__init__()
        self.patches, self.class_token = nn.Conv2d(3, width, 8, 8), class_token
        self.blocks = nn.Sequential(Block(width, heads), Block(width, heads))
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        if self.class_token:
            tokens = torch.cat([tokens[:, :1] * 0, tokens], 1)
        tokens = self.norm(self.blocks(tokens))
        return self.head(tokens[:, 0] if self.class_token else tokens.mean(1))


class Stem(ViT):
    """A convolutional stem instead of one patch embedding."""

    def __init__(self):
        super().__init__()
        self.patches = nn.Sequential(
            nn.Conv2d(3, 8, 4, 4), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 16, 2, 2)
        )


class Library(ViT):
    """Blocks of torch itself, which run fused without gradients."""

    def __init__(self):
        super().__init__()
        self.blocks = nn.TransformerEncoderLayer(16, 2, 32, batch_first=True)


class Functional(nn.Module):
    """Attention without modules, after one convolution."""

    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 16, 8, 8), nn.Linear(16, 5)
        self.weight = nn.Parameter(torch.randn(16, 16) / 4)

    def forward(self, x):
        tokens = self.patches(x).flatten(2).transpose(1, 2)
        tokens = functional.scaled_dot_product_attention(tokens @ self.weight, tokens, tokens)
        return self.head(tokens.mean(1))


class Mixer(nn.Module):
    """Linear layers over tokens and channels."""

    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 16, 8, 8), nn.Linear(16, 5)
        self.channels = nn.Linear(16, 16)

    def forward(self, x):
        return self.head(self.channels(self.patches(x).flatten(2).transpose(1, 2)).relu().mean(1))


class Recurrent(nn.Module):
    """A recurrent layer over the places."""

    def __init__(self):
        super().__init__()
        self.patches, self.head = nn.Conv2d(3, 16, 8, 8), nn.Linear(16, 5)
        self.rnn = nn.LSTM(16, 16, batch_first=True)

    def forward(self, x):
        return self.head(self.rnn(self.patches(x).flatten(2).transpose(1, 2))[0][:, -1])


class Swin(nn.Module):
    """Channels last from the stem to the pooling."""

    def __init__(self, width=16):
        super().__init__()
        self.stem, self.stage = nn.Conv2d(3, width, 4, 4), Block(width)
        self.norm, self.head = nn.LayerNorm(width), nn.Linear(width, 5)

    def forward(self, x):
        return self.head(self.norm(self.stage(self.stem(x).permute(0, 2, 3, 1))).mean((1, 2)))


class PermutedOnly(nn.Module):
    """Channels last after a convolution, only by a permutation in a module."""

    def __init__(self):
        super().__init__()
        self.features, self.last, self.head = nn.Conv2d(3, 8, 4, 4), Permute(), nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.last(self.features(x)).mean((1, 2)))


class Permute(nn.Module):
    def __init__(self, *order):
        super().__init__()
        self.order = order or (0, 2, 3, 1)

    def forward(self, x):
        return x.permute(self.order)


class SharedAct(nn.Module):
    """One activation after every convolution."""

    def __init__(self):
        super().__init__()
        self.a, self.b, self.act = nn.Conv2d(3, 8, 3, 2), nn.Conv2d(8, 8, 3, 2), nn.SiLU()
        self.head = nn.Linear(8, 5)

    def forward(self, x):
        return self.head(self.act(self.b(self.act(self.a(x)))).mean((2, 3)))


class SharedBlock(nn.Module):
    """One block that runs twice, after a stem that runs once."""

    def __init__(self):
        super().__init__()
        self.stem, self.head = nn.Conv2d(3, 8, 3, padding=1), nn.Linear(8, 5)
        self.block = nn.Sequential(nn.Conv2d(8, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2))

    def forward(self, x):
        return self.head(self.block(self.block(self.stem(x))).mean((2, 3)))


class SideBranch(nn.Module):
    """Features, and a branch that runs after them and may influence the logits."""

    def __init__(self, used):
        super().__init__()
        self.used = used
        self.features, self.side = nn.Conv2d(3, 8, 3), nn.Conv2d(3, 4, 3)
        self.head, self.other = nn.Linear(8, 5), nn.Linear(4, 5)

    def forward(self, x):
        features, side = self.features(x).relu(), self.side(x)
        logits = self.head(features.mean((2, 3)))
        return logits + self.other(side.mean((2, 3))) if self.used else logits


class Auxiliary(SideBranch):
    """A second result, from a decoder that runs last."""

    def __init__(self):
        super().__init__(used=False)
        self.decoder = nn.Conv2d(8, 1, 1)

    def forward(self, x):
        features = self.features(x).relu()
        return self.head(features.mean((2, 3))), self.decoder(features)


def convolutions(*, pool, places=1):
    """Convolutions, a pooling module, and a classifier."""
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 8, 3, padding=1)),
        pool,
        nn.Flatten(),
        nn.Linear(8 * places, 5),
    )


class Squeeze(nn.Module):
    """Inverted residual with squeeze and excitation by linear layers, as in EfficientNet."""

    def __init__(self, n=8):
        super().__init__()
        self.expand = nn.Sequential(nn.Conv2d(n, 2 * n, 1), nn.BatchNorm2d(2 * n), nn.SiLU())
        self.depth = nn.Conv2d(2 * n, 2 * n, 3, padding=1, groups=2 * n)
        self.fc, self.project = nn.Linear(2 * n, 2 * n), nn.Conv2d(2 * n, n, 1)

    def forward(self, x):
        y = self.depth(self.expand(x))
        return x + self.project(y * self.fc(y.mean((2, 3))).sigmoid()[..., None, None])


class Shuffle(nn.Module):
    """Channels shuffled by a view, as in ShuffleNet."""

    def __init__(self, n=8):
        super().__init__()
        self.branch = nn.Conv2d(n // 2, n // 2, 3, padding=1)

    def forward(self, x):
        first, second = x.chunk(2, 1)
        y = torch.cat([first, self.branch(second)], 1)
        n, c, h, w = y.shape
        return y.view(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


class ConvNeXt(nn.Module):
    """Channels last within the block, channels first outside."""

    def __init__(self, n=8):
        super().__init__()
        self.depth, self.norm = nn.Conv2d(n, n, 7, padding=3, groups=n), nn.LayerNorm(n)
        self.mlp = nn.Sequential(nn.Linear(n, 2 * n), nn.GELU(), nn.Linear(2 * n, n))

    def forward(self, x):
        y = self.mlp(self.norm(self.depth(x).permute(0, 2, 3, 1))).permute(0, 3, 1, 2)
        return x + 0.5 * y


class Branches(nn.Module):
    """Concatenated branches as in Inception, the last one pooled."""

    def __init__(self, n=8):
        super().__init__()
        self.one, self.pool, self.two = (
            nn.Conv2d(n, 4, 1),
            nn.AvgPool2d(3, 1, 1),
            nn.Conv2d(n, 4, 1),
        )

    def forward(self, x):
        return torch.cat([self.one(x), self.two(self.pool(x))], 1).relu()


def with_blocks(block):
    """A stem, two blocks and a pooling."""
    stem = nn.Sequential(nn.Conv2d(3, 8, 4, 4), nn.GroupNorm(2, 8), nn.ReLU(inplace=True))
    blocks = nn.Sequential(block(), block())
    pool = nn.AdaptiveAvgPool2d(1)
    return nn.Sequential(stem, blocks, pool, nn.Flatten(), nn.Dropout(), nn.Linear(8, 5))


class Finished(nn.Module):
    """A network whose output is changed by a function or a module."""

    def __init__(self, last):
        super().__init__()
        self.features, self.head, self.last = nn.Conv2d(3, 8, 3), nn.Linear(8, 5), last

    def forward(self, x):
        return self.last(self.head(self.features(x).relu().mean((2, 3))))
