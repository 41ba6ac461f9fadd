// Runs one node through interpret(), so that every test takes the path that users of the oracle
// take.

import { bindShapes } from "../../../src/graph/bind.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import type { Node } from "../../../src/graph/node.ts";
import type { QParams } from "../../../src/graph/value.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import type { Quantized } from "../../../src/reference/quantizedOperands.ts";
import type { DType } from "../../../src/tensor/dtype.ts";
import { float32, sizeOf, tensor, toNumbers, type Tensor } from "../../../src/tensor/tensor.ts";

type Attributes<N> = N extends Node ? Omit<N, "name" | "inputs" | "outputs"> : never;

/** The outputs of one node named "node", whose inputs are "x0", "x1", … */
export function runAll(
  attributes: Attributes<Node>,
  inputs: readonly (Tensor | Quantized)[],
  type: { dtype?: DType; quant?: QParams } = {},
  outputs = ["y"],
): Tensor[] {
  const builder = new GraphBuilder();
  const feeds: Record<string, Tensor> = {};
  const names = inputs.map((input, index) => {
    const name = `x${index}`;
    const [value, quant] = "quant" in input ? [input.tensor, { quant: input.quant }] : [input, {}];
    feeds[name] = value;
    return builder.input(name, { dtype: value.dtype, shape: value.shape, ...quant });
  });
  builder.add({ ...attributes, name: "node", inputs: names, outputs } as Node, type);
  const values = interpret(bindShapes(builder.build("test", names, outputs), new Map()), feeds);
  return outputs.map((name) => values.get(name)!);
}

/** The first output of one node. */
export function run(
  attributes: Attributes<Node>,
  inputs: readonly (Tensor | Quantized)[],
  type: { dtype?: DType; quant?: QParams } = {},
): Tensor {
  return runAll(attributes, inputs, type)[0]!;
}

/** The elements of the first output, as plain numbers. */
export function numbers(...args: Parameters<typeof run>): number[] {
  return toNumbers(run(...args));
}

/** A float32 tensor that counts 1, 2, 3, … */
export function counting(shape: readonly number[]): Tensor<"float32"> {
  return float32(
    shape,
    Array.from({ length: sizeOf(shape) }, (_, i) => i + 1),
  );
}

/** Parameters per tensor. */
export function qparams(
  dtype: "int8" | "uint8",
  scale: number,
  zeroPoint: number,
  range: { qmin?: number; qmax?: number } = {},
): QParams {
  return { dtype, scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zeroPoint), ...range };
}

/** A quantized tensor of the given q. */
export function quantized(quant: QParams, shape: readonly number[], q: number[]): Quantized {
  const data = quant.dtype === "uint8" ? Uint8Array.from(q) : Int8Array.from(q);
  return { tensor: tensor<DType>(quant.dtype, shape, data), quant };
}

/** A symmetric int8 weight, one scale per slice of `axis` or one for all. */
export function weight(
  shape: readonly number[],
  q: number[],
  scale: number | number[],
  axis?: number,
): Quantized {
  const scales = Float32Array.from([scale].flat());
  const quant: QParams = {
    dtype: "int8",
    scale: scales,
    zeroPoint: new Int32Array(scales.length),
    ...(axis === undefined ? {} : { axis }),
  };
  return quantized(quant, shape, q);
}

/** An int32 bias. */
export function bias(...q: number[]): Tensor<"int32"> {
  return tensor("int32", [q.length], Int32Array.from(q));
}

/** Unit strides and dilations, no padding. */
export const plain = {
  strides: [1, 1],
  dilations: [1, 1],
  pads: [0, 0, 0, 0],
} as const;
