"""Prints what int8 costs the sample network, simulated in float: README.md holds the numbers.

One idea: nothing of this library takes part. model.onnx is read back, batch normalisation is
folded, and every tensor is rounded to 256 levels and back: weights symmetric, activations affine
over the range that calibration saw.

    python3 demo/sample/simulate.py out/sample demo/sample/model.onnx
"""

import sys
from pathlib import Path

import onnx
import torch
from onnx import numpy_helper
from torch.nn import functional as F

from train import load, normalise, top1


def folded(path):
    """The graph as a list of ops, batch normalisation and ReLU6 folded into each convolution."""
    graph = onnx.load(str(path)).graph
    weights = {w.name: torch.from_numpy(numpy_helper.to_array(w).copy()) for w in graph.initializer}
    ops, producer = [], {}
    for node in graph.node:
        facts = {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute}
        inputs = [weights.get(name, name) for name in node.input]
        if node.op_type == "BatchNormalization":
            op = producer[inputs[0]]
            scale, bias, mean, variance = inputs[1:]
            k = scale / torch.sqrt(variance + facts["epsilon"])
            op["weight"], op["bias"] = op["weight"] * k[:, None, None, None], bias - mean * k
        elif node.op_type == "Clip":
            op = producer[inputs[0]]
            op["clip"] = True
        else:
            op = {"type": node.op_type, "name": node.name, "facts": facts, "clip": False}
            op["inputs"] = [name for name in inputs if isinstance(name, str)]
            if node.op_type in ("Conv", "Gemm"):
                op["weight"] = inputs[1]
                op["bias"] = inputs[2] if len(inputs) > 2 else None
            ops.append(op)
        op["output"] = node.output[0]
        producer[op["output"]] = op
    return ops


def run(ops, images, weights, biases, activation, watch=None):
    """logits; `activation(name, x)` quantizes one value, `watch(name, x)` sees the sums."""
    values = {"images": activation("images", images)}
    for op in ops:
        x, *more = [values[name] for name in op["inputs"]]
        name, facts = op["name"], op["facts"]
        if op["type"] == "Conv":
            y = F.conv2d(
                x,
                weights[name],
                biases[name],
                facts["strides"],
                facts["pads"][0],
                1,
                facts["group"],
            )
        elif op["type"] == "Gemm":
            y = F.linear(x, weights[name], biases[name])
        elif op["type"] == "Add":
            y = x + more[0]
        elif op["type"] == "GlobalAveragePool":
            y = x.mean((2, 3), keepdim=True)
        elif op["type"] == "Flatten":
            y = x.flatten(1)
        else:
            raise ValueError(f'{op["type"]} "{name}": expected an op that train.py writes')
        if watch and "weight" in op:
            watch(name, y)
        y = y.clamp(0, 6) if op["clip"] else y
        values[op["output"]] = activation(op["output"], y)
    return values["logits"]


def quantize_weight(weight, per_channel):
    axes = tuple(range(1, weight.dim()))
    largest = weight.abs().amax(axes, keepdim=True) if per_channel else weight.abs().max()
    scale = (largest / 127).clamp_min(1e-12)
    return torch.round(weight / scale).clamp(-127, 127) * scale


def min_max(ops, images, weights, biases):
    """A quantizer of activations whose ranges are the least and greatest values of `images`' run."""
    ranges = {}

    def record(name, x):
        ranges[name] = (min(x.min().item(), 0), max(x.max().item(), 0))
        return x

    def quantize(name, x):
        low, high = ranges[name]
        scale = (high - low) / 255
        zero = round(-low / scale)
        return ((torch.round(x / scale) + zero).clamp(0, 255) - zero) * scale

    run(ops, images, weights, biases, record)
    return quantize


def correct(ops, images, weights, quantized, biases, activation):
    """Biases that give every channel its float mean back, layer by layer."""
    mean = lambda y: y.mean((0, 2, 3)) if y.dim() == 4 else y.mean(0)
    wanted, corrected = {}, dict(biases)
    run(
        ops, images, weights, biases, lambda _, x: x, lambda name, y: wanted.update({name: mean(y)})
    )
    for name in biases:
        found = {}
        run(
            ops,
            images,
            quantized,
            corrected,
            activation,
            lambda name, y: found.update({name: mean(y)}),
        )
        corrected[name] = corrected[name] + wanted[name] - found[name]
    return corrected


@torch.no_grad()
def main(folder, path):
    torch.set_num_threads(2)
    ops = folded(path)
    weights = {op["name"]: op["weight"] for op in ops if "weight" in op}
    biases = {op["name"]: op["bias"] for op in ops if "weight" in op}
    calibration = normalise(load(folder, "calibration")[0][:256])
    test, labels, _ = load(folder, "test")
    exact = lambda _, x: x
    rounded = min_max(ops, calibration, weights, biases)

    def report(words, *recipe):
        score = top1(lambda p: run(ops, normalise(p), *recipe), test, labels)
        print(f"{words:<58} {score:.2f} %", flush=True)

    report("float", weights, biases, exact)
    report("int8 activations, float weights", weights, biases, rounded)
    for per_channel in (False, True):
        words = "per channel" if per_channel else "per tensor"
        quantized = {name: quantize_weight(weight, per_channel) for name, weight in weights.items()}
        report(f"int8 weights {words}, float activations", quantized, biases, exact)
        report(f"int8 weights {words}, int8 activations", quantized, biases, rounded)
        corrected = correct(ops, calibration, weights, quantized, biases, rounded)
        report(
            f"int8 weights {words}, int8 activations, bias correction",
            quantized,
            corrected,
            rounded,
        )
    for name, weight in weights.items():
        if name.endswith("depthwise/conv"):
            largest = weight.abs().amax((1, 2, 3))
            print(
                f"{name}: largest channel / median channel = {largest.max() / largest.median():.0f}"
            )


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
