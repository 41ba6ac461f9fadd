// A kernel case: one op whose operands are all constants, so that its plan is the kernel's dispatches
// and nothing else. Beside it stands a probe: the same op on a part of the operands, small enough for
// the reference interpreter, and where that part lies in the whole output.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import type { QParams } from "../../src/graph/value.ts";
import { float32, sizeOf, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import type { Precision } from "../core/platform.ts";
import { normal, type Random } from "../core/random.ts";

export interface KernelCase {
  readonly kernel: string;
  readonly dtype: Precision;
  readonly shape: string;
  /** Multiply-accumulates, which arithmetic may bound; others are bound by memory. */
  readonly isProduct: boolean;
  /** 2 a multiply-accumulate, 1 an element of other ops. */
  readonly ops: number;
  /** Operands read once, results written once. */
  readonly bytes: number;
  /** Made when it is the case's turn, since operands are large. */
  make(next: Random): { readonly graph: Graph; readonly probe: Probe };
}

export type Probe =
  /** `pick` takes the probe's part out of the whole output. */
  | {
      readonly kind: "part";
      readonly graph: Graph;
      pick(data: ArrayLike<number>): ArrayLike<number>;
    }
  /** An observer has no output: its input, whose statistics the reference finds. */
  | { readonly kind: "statistics"; readonly x: Tensor<"float32"> };

export interface Operand {
  readonly name: string;
  readonly tensor: Tensor;
  readonly quant?: QParams;
}

type AttributesOf<N> = N extends Node ? Omit<N, "name" | "inputs" | "outputs"> : never;
/** An op and its attributes. */
export type Attributes = AttributesOf<Node>;

/** A graph of one node whose inputs are all constants. */
export function single(
  attributes: Attributes,
  operands: readonly Operand[],
  out?: QParams,
  hasOutput = true,
): Graph {
  const builder = new GraphBuilder();
  for (const { name, tensor, quant } of operands) builder.constant(name, tensor, quant);
  const outputs = hasOutput ? ["y"] : [];
  const inputs = operands.map(({ name }) => name);
  const node = { ...attributes, name: "kernel", inputs, outputs } as Node;
  const dtype = out?.dtype ?? "float32";
  builder.add(node, { dtype, ...(out ? { quant: out } : {}) });
  return builder.build("kernel", [], outputs);
}

export const activationQuant: QParams = {
  dtype: "uint8",
  scale: Float32Array.of(1 / 64),
  zeroPoint: Int32Array.of(128),
};

/** Parameters whose 256 steps span about four deviations of a sum of `terms` random products. */
export function sumQuant(terms: number, weightScale: number): QParams {
  const deviation = 74 * 73 * Math.sqrt(terms) * weightScale * (activationQuant.scale[0] ?? 1);
  return { dtype: "uint8", scale: Float32Array.of(deviation / 32), zeroPoint: Int32Array.of(128) };
}

export const WEIGHT_SCALE = 1 / 512;

/** Symmetric, one scale a slice of `axis`. */
export function weightQuant(axis: number, count: number, next: Random): QParams {
  const scale = Float32Array.from({ length: count }, () => WEIGHT_SCALE * (0.75 + 0.5 * next()));
  return { dtype: "int8", scale, zeroPoint: new Int32Array(count), axis };
}

export function bytes8(shape: readonly number[], next: Random): Tensor<"uint8"> {
  const data = Uint8Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * 256));
  return tensor("uint8", shape, data);
}

/** −127 … 127. */
export function weights8(shape: readonly number[], next: Random): Tensor<"int8"> {
  const data = Int8Array.from({ length: sizeOf(shape) }, () => Math.floor(next() * 255) - 127);
  return tensor("int8", shape, data);
}

/** Activations of either precision. */
export function activations(dtype: Precision, shape: readonly number[], next: Random): Operand {
  return dtype === "int8"
    ? { name: "x", tensor: bytes8(shape, next), quant: activationQuant }
    : { name: "x", tensor: normal(shape, next) };
}

/** Slices `indices` of `axis`, joined: a smaller tensor of the same kind. */
export function gather<T extends Tensor>(value: T, axis: number, indices: readonly number[]): T {
  const { dtype, shape, data } = value;
  const outer = sizeOf(shape.slice(0, axis));
  const inner = sizeOf(shape.slice(axis + 1));
  const size = shape[axis] ?? 1;
  const length = outer * indices.length * inner;
  const out = new (data.constructor as new (length: number) => typeof data)(length);
  let at = 0;
  for (let before = 0; before < outer; before++) {
    for (const index of indices) {
      const from = (before * size + index) * inner;
      out.set(data.subarray(from, from + inner) as never, at);
      at += inner;
    }
  }
  return tensor(dtype, shape.with(axis, indices.length), out as never) as Tensor as T;
}

/** The same of an operand, its per-axis parameters included. */
export function gatherOperand(operand: Operand, axis: number, indices: readonly number[]): Operand {
  const { name, quant } = operand;
  const part = gather(operand.tensor, axis, indices);
  if (!quant) return { name, tensor: part };
  if (quant.axis !== axis) return { name, tensor: part, quant };
  const take = (index: number, values: ArrayLike<number>) => values[index] ?? 0;
  const scale = Float32Array.from(indices, (index) => take(index, quant.scale));
  const zeroPoint = Int32Array.from(indices, (index) => take(index, quant.zeroPoint));
  return { name, tensor: part, quant: { ...quant, scale, zeroPoint } };
}

/** A few places of an axis: the ends and the middle. */
export function someOf(size: number): number[] {
  return [...new Set([0, size >> 1, size - 1])];
}

/** Slices of `axis` out of a whole output of `shape`. */
export const picker =
  (shape: readonly number[], axis: number, indices: readonly number[]) =>
  (data: ArrayLike<number>): ArrayLike<number> =>
    gather(float32(shape, data), axis, indices).data as Float32Array;
