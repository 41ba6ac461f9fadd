// The quantized network, as torch runs it after convert: fused modules, int8 weights, quint8 activations
// whose parameters the state dict holds. Every layer is a typed node on the integer kernels.
//
// The two engines of PyTorch differ in one bit here and there, and files say which one they are for:
//   qnnpack  bias in int32, docs/quantization.md (31)
//   fbgemm   bias in float, docs/quantization.md (30)
// and their pools and additions in how they round: the nodes' `engine` says it.

import { quantizeBias } from "../graph/arithmetic.ts";
import type { Engine, Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { fl } from "../tensor/rounding.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { Layers, windowOf, type ConvNames, type ConvSpec } from "./layers.ts";
import type { Weights } from "./weights.ts";

/** torch gives hardsigmoid these, whatever was observed. */
const HARD_SIGMOID: QParams = {
  dtype: "uint8",
  scale: Float32Array.of(1 / 256),
  zeroPoint: Int32Array.of(0),
};

export class QuantizedLayers extends Layers {
  readonly #engine: Engine;

  constructor(weights: Weights, engine: Engine) {
    super(weights);
    this.#engine = engine;
  }

  start(images: string): string {
    const quant = this.weights.activation("quant");
    return this.builder.add(
      { op: "Quantize", name: "quant", inputs: [images], outputs: ["quant"] },
      { quant },
    );
  }

  /** Weight and bias of a layer, as constants; x's scale is part of the bias's own. */
  #parameters(x: string, name: string, shape: readonly number[]): readonly [string, string] {
    const outs = shape[0] ?? 0;
    const weight = this.weights.quantized(`${name}.weight`, shape);
    const filter = this.builder.constant(`${name}.weight`, weight.tensor, weight.quant);
    const bias = this.weights.has(`${name}.bias`)
      ? this.weights.float(`${name}.bias`, [outs])
      : tensor("float32", [outs]);
    return [filter, this.#bias(`${name}.bias`, bias, this.paramsOf(x), weight.quant)];
  }

  #bias(name: string, bias: Tensor<"float32">, x: QParams, weight: QParams): string {
    if (this.#engine === "fbgemm") return this.builder.constant(name, bias);
    const [sx = 1] = x.scale;
    const { scale } = weight;
    const steps = bias.data.map((_, c) => fl(sx * (scale[scale.length === 1 ? 0 : c] ?? 1)));
    const q = tensor("int32", bias.shape, quantizeBias(bias.data, sx, scale, this.#engine));
    const zeroPoint = new Int32Array(steps.length);
    return this.builder.constant(name, q, { dtype: "int32", scale: steps, zeroPoint, axis: 0 });
  }

  conv(x: string, { conv, relu, relu6 }: ConvNames, spec: ConvSpec): string {
    const { outs, group = 1 } = spec;
    const window = windowOf(spec);
    const shape = [outs, this.channels(x) / group, ...window.kernel];
    const clamp = relu ?? relu6;
    return this.#typed(conv, {
      op: "Conv",
      name: conv,
      inputs: [x, ...this.#parameters(x, conv, shape)],
      outputs: [conv],
      ...window,
      group,
      engine: this.#engine,
      ...(clamp === undefined ? {} : { low: 0 }),
    });
  }

  linear(x: string, name: string, outs: number): string {
    return this.#typed(name, {
      op: "Gemm",
      name,
      inputs: [x, ...this.#parameters(x, name, [outs, this.channels(x)])],
      outputs: [name],
      alpha: 1,
      beta: 1,
      transA: false,
      transB: true,
      engine: this.#engine,
    });
  }

  /** Add `node`, whose output has the parameters of module `name`. */
  #typed(name: string, node: Node): string {
    return this.builder.add(node, { quant: this.weights.activation(name) });
  }

  add(x: string, y: string, name: string, relu = false): string {
    const clamp = relu ? { low: 0 } : {};
    return this.#typed(name, {
      op: "Add",
      name,
      inputs: [x, y],
      outputs: [name],
      ...clamp,
      engine: this.#engine,
    });
  }

  multiply(x: string, y: string, name: string): string {
    return this.#typed(name, { op: "Mul", name, inputs: [x, y], outputs: [name] });
  }

  /** torch converts the codes of channels-last parts by docs/quantization.md (34), as Concat does. Where
   *  a part is row-major it dequantizes and quantizes them, (6) and (2): an open Clip says that. */
  concat(parts: readonly string[], name: string, rowMajor = false): string {
    const quant = this.weights.activation(name);
    const inputs = parts.map((part, index) => {
      if (!rowMajor) return part;
      const clip = `${name}.part${index}`;
      const bounds = { low: -Infinity, high: Infinity };
      const node = { op: "Clip", name: clip, inputs: [part], outputs: [clip], ...bounds } as const;
      return this.builder.add(node, { quant });
    });
    return this.#typed(name, { op: "Concat", name, inputs, outputs: [name], axis: 1 });
  }

  hardSwish(x: string, name: string): string {
    return this.#typed(name, { op: "HardSwish", name, inputs: [x], outputs: [name] });
  }

  hardSigmoid(x: string, name: string): string {
    const node = { op: "HardSigmoid", name, inputs: [x], outputs: [name] } as const;
    const alpha = fl(1 / 6);
    return this.builder.add({ ...node, alpha, beta: 0.5 }, { quant: HARD_SIGMOID });
  }

  globalPool(x: string, name: string): string {
    const node = { op: "GlobalAveragePool", name, inputs: [x], outputs: [name] } as const;
    return this.keep({ ...node, engine: this.#engine });
  }

  spatialMean(x: string, name: string): string {
    const node = { op: "ReduceMean", name, inputs: [x], outputs: [name] } as const;
    return this.keep({ ...node, axes: [2, 3], keepdims: false });
  }

  finish(logits: string): string {
    const node = { op: "Dequantize", name: "dequant", inputs: [logits], outputs: ["logits"] };
    return this.builder.add(node as Node, { dtype: "float32" });
  }
}
