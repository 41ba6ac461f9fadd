"""Trains the sample network on pictures of pictures.ts and writes model.onnx.

One idea: a MobileNetV2 in miniature, exported as it was trained. Batch normalisation stays a node
of its own and ReLU6 a Clip, so that the library meets here what it meets in the real network.

    node demo/sample/dump.mjs out/sample train=24000 calibration=1000 test=2000
    python3 demo/sample/train.py out/sample demo/sample/model.onnx

Needs torch, numpy, onnx and onnxruntime; two cores are enough. README.md holds what it printed.
"""

import json
import math
import sys
import time
from pathlib import Path

import numpy as np
import onnxruntime
import torch
from torch import nn
from torch.nn import functional as F

from export import write

SEED = 20250730
# Pixels of a side, one entry per epoch: smaller pictures take a third of the time.
SIZES = [32] * 7 + [48] * 6
BATCH = 64
PEAK_RATE = 0.006  # of AdamW, one cycle over all epochs
WEIGHT_DECAY = 0.02
LABEL_SMOOTHING = 0.05
# The first gammas of the wide (expanded) batch normalisations are 2^u, u uniform in this range. The
# long training of a large MobileNet spreads its channels' scales; ten minutes do not, so start there.
GAMMA_SPREAD = (-3.0, 1.0)

STEM = 24
# One row per block: (channels out, stride, expansion), as in table 2 of arXiv:1801.04381.
BLOCKS = [
    (16, 1, 1),
    (24, 2, 4),
    (24, 1, 4),
    (32, 2, 6),
    (32, 1, 6),
    (32, 1, 6),
    (48, 1, 6),
    (48, 1, 6),
]
HEAD = 192


class Layer(nn.Module):
    """conv → norm → ReLU6, the last of them optional. Weights are (out, in / groups, k, k)."""

    def __init__(
        self, name, channels_in, channels, kernel, stride=1, groups=1, active=True, spread=False
    ):
        super().__init__()
        self.name, self.active = name, active
        self.conv = nn.Conv2d(
            channels_in, channels, kernel, stride, kernel // 2, groups=groups, bias=False
        )
        self.norm = nn.BatchNorm2d(channels)
        if spread:
            nn.init.uniform_(self.norm.weight, *GAMMA_SPREAD)
            self.norm.weight.data.exp2_()

    def forward(self, x):
        x = self.norm(self.conv(x))
        return F.relu6(x) if self.active else x


class Block(nn.Module):
    """An inverted residual: expand 1×1, depthwise 3×3, project 1×1, plus the input if it fits."""

    def __init__(self, name, channels_in, channels, stride, expansion):
        super().__init__()
        wide = channels_in * expansion
        layers = []
        if expansion > 1:
            layers.append(Layer(f"{name}/expand", channels_in, wide, 1, spread=True))
        layers.append(Layer(f"{name}/depthwise", wide, wide, 3, stride, groups=wide, spread=True))
        layers.append(Layer(f"{name}/project", wide, channels, 1, active=False))
        self.name, self.layers = name, nn.ModuleList(layers)
        self.residual = stride == 1 and channels_in == channels

    def forward(self, x):
        y = x
        for layer in self.layers:
            y = layer(y)
        return x + y if self.residual else y


class Net(nn.Module):
    def __init__(self, classes):
        super().__init__()
        parts, channels = [Layer("stem", 3, STEM, 3, 2)], STEM
        for i, (out, stride, expansion) in enumerate(BLOCKS):
            parts.append(Block(f"block{i + 1}", channels, out, stride, expansion))
            channels = out
        parts.append(Layer("head", channels, HEAD, 1))
        self.parts = nn.ModuleList(parts)
        self.classifier = nn.Linear(HEAD, classes)

    def forward(self, x):
        for part in self.parts:
            x = part(x)
        return self.classifier(x.mean((2, 3)))


def load(folder, split):
    """The pictures (count, 3, height, width) as bytes, and their labels (count)."""
    facts = json.loads((folder / "pictures.json").read_text())
    shape = (facts[split], facts["height"], facts["width"], 3)
    pictures = np.fromfile(folder / f"{split}.u8", np.uint8).reshape(shape)
    labels = np.fromfile(folder / f"{split}.label.u8", np.uint8)
    return (
        torch.from_numpy(pictures).permute(0, 3, 1, 2),
        torch.from_numpy(labels).long(),
        facts["classNames"],
    )


def normalise(pictures):
    return pictures.float() / 127.5 - 1


def augment(pictures):
    """Per batch, one of the square's eight symmetries and one of the colours' six orders."""
    if torch.rand(()) < 0.5:
        pictures = pictures.transpose(2, 3)
    flips = [axis for axis in (2, 3) if torch.rand(()) < 0.5]
    return pictures.flip(flips)[:, torch.randperm(3)].contiguous(memory_format=torch.channels_last)


def top1(predict, pictures, labels):
    hits = [
        (predict(p).argmax(1) == l).sum() for p, l in zip(pictures.split(250), labels.split(250))
    ]
    return 100 * float(sum(hits)) / len(labels)


def train(net, pictures, labels, check):
    norms = {id(p) for m in net.modules() if isinstance(m, nn.BatchNorm2d) for p in m.parameters()}
    decayed = [p for p in net.parameters() if id(p) not in norms]
    free = [p for p in net.parameters() if id(p) in norms]
    groups = [
        {"params": decayed, "weight_decay": WEIGHT_DECAY},
        {"params": free, "weight_decay": 0},
    ]
    optimiser = torch.optim.AdamW(groups, lr=PEAK_RATE)
    steps = len(labels) // BATCH
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, PEAK_RATE, total_steps=len(SIZES) * steps, pct_start=0.2
    )
    start = time.time()
    for epoch, size in enumerate(SIZES):
        net.train()
        total = 0.0
        for chosen in torch.randperm(len(labels))[: steps * BATCH].split(BATCH):
            images = F.interpolate(normalise(pictures[chosen]), (size, size), mode="area")
            logits = net(augment(images))
            loss = F.cross_entropy(logits, labels[chosen], label_smoothing=LABEL_SMOOTHING)
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            schedule.step()
            total += loss.item()
        net.eval()
        with torch.no_grad():
            score = top1(lambda p: net(normalise(p)), *check)
        print(
            f"epoch {epoch + 1:2}  loss {total / steps:.4f}  calibration top-1 {score:.2f} %  "
            f"{time.time() - start:.0f} s",
            flush=True,
        )


def count(net, size):
    """(multiply-adds per picture, parameters without running statistics)."""
    total = 0

    def hook(module, _, output):
        nonlocal total
        total += module.weight.numel() * math.prod(output.shape[2:])

    hooks = [
        m.register_forward_hook(hook)
        for m in net.modules()
        if isinstance(m, (nn.Conv2d, nn.Linear))
    ]
    net(torch.zeros(1, 3, size, size))
    for handle in hooks:
        handle.remove()
    return total, sum(p.numel() for p in net.parameters())


def main(folder, path):
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    torch.set_flush_denormal(True)
    pictures, labels, classes = load(folder, "train")
    net = Net(len(classes)).to(memory_format=torch.channels_last)
    net.eval()
    macs, parameters = count(net, pictures.shape[2])
    print(f"{macs / 1e6:.2f} M multiply-adds, {parameters} parameters", flush=True)
    train(net, pictures, labels, load(folder, "calibration")[:2])
    write(net, pictures.shape[2], classes, path)
    pictures, labels, _ = load(folder, "test")
    session = onnxruntime.InferenceSession(path.read_bytes(), providers=["CPUExecutionProvider"])
    predict = lambda p: torch.from_numpy(
        session.run(["logits"], {"images": normalise(p).numpy()})[0]
    )
    print(
        f"test top-1 {top1(predict, pictures, labels):.2f} % of {len(labels)}, "
        f"{top1(predict, pictures[:500], labels[:500]):.2f} % of the first 500"
    )
    print(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
