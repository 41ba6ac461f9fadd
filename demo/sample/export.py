"""Writes the trained network of train.py as an ONNX file, node by node.

One idea: written by hand rather than traced, so that every node and value is named after its place
(block3/depthwise/conv) and nothing is folded: batch normalisation and ReLU6 stay nodes of their own.
"""

import json

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper


class Writer:
    """Collects nodes and weights; every node is named after its place, every value after its node."""

    def __init__(self):
        self.nodes, self.weights = [], []

    def weight(self, name, tensor):
        array = np.asarray(tensor.detach().numpy(), np.float32, order="C")
        self.weights.append(numpy_helper.from_array(array, name))
        return name

    def node(self, op, name, inputs, output=None, **attributes):
        output = output or name
        self.nodes.append(helper.make_node(op, inputs, [output], name=name, **attributes))
        return output

    def layer(self, layer, x):
        conv, norm, name = layer.conv, layer.norm, layer.name
        pad = conv.padding[0]
        x = self.node(
            "Conv",
            f"{name}/conv",
            [x, self.weight(f"{name}/conv/weight", conv.weight)],
            kernel_shape=list(conv.kernel_size),
            strides=list(conv.stride),
            pads=[pad] * 4,
            group=conv.groups,
        )
        facts = {
            "scale": norm.weight,
            "bias": norm.bias,
            "mean": norm.running_mean,
            "variance": norm.running_var,
        }
        weights = [self.weight(f"{name}/norm/{key}", value) for key, value in facts.items()]
        x = self.node("BatchNormalization", f"{name}/norm", [x, *weights], epsilon=norm.eps)
        if not layer.active:
            return x
        return self.node("Clip", f"{name}/relu6", [x, "relu6/low", "relu6/high"])

    def net(self, net):
        self.weight("relu6/low", torch.tensor(0.0))
        self.weight("relu6/high", torch.tensor(6.0))
        x = "images"
        for part in net.parts:
            if hasattr(part, "conv"):
                x = self.layer(part, x)
                continue
            y = x
            for layer in part.layers:
                y = self.layer(layer, y)
            x = self.node("Add", f"{part.name}/add", [x, y]) if part.residual else y
        x = self.node("GlobalAveragePool", "pool", [x])
        x = self.node("Flatten", "flatten", [x], axis=1)
        weights = [self.weight(f"classifier/{k}", v) for k, v in net.classifier.named_parameters()]
        self.node("Gemm", "classifier", [x, *weights], output="logits", transB=1)


def write(net, size, classes, path):
    """Writes `net`: images (batch, 3, size, size) → logits (batch, classes), opset 13, float32."""
    writer = Writer()
    writer.net(net)
    images = helper.make_tensor_value_info("images", TensorProto.FLOAT, ["batch", 3, size, size])
    logits = helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", len(classes)])
    graph = helper.make_graph(writer.nodes, "sample", [images], [logits], writer.weights)
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", 13)],
        ir_version=8,
        producer_name="demo/sample/train.py",
    )
    helper.set_model_props(model, {"classNames": json.dumps(classes)})
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString(deterministic=True))
