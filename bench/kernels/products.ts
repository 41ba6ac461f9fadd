// Products: matrices of every form, and the convolutions of the standard networks.

import type { Precision } from "../core/platform.ts";
import { normal, type Random } from "../core/random.ts";
import { tensor } from "../../src/tensor/tensor.ts";
import {
  activations,
  gatherOperand,
  picker,
  single,
  someOf,
  sumQuant,
  WEIGHT_SCALE,
  weightQuant,
  weights8,
  type KernelCase,
  type Operand,
} from "./case.ts";

const bytesEach = (dtype: Precision) => (dtype === "int8" ? 1 : 4);

/** A weight with one slice of `axis` an output. */
function weight(dtype: Precision, shape: readonly number[], axis: number, next: Random): Operand {
  if (dtype === "float32") {
    const terms = shape.reduce((product, dim) => product * dim, 1) / (shape[axis] ?? 1);
    return { name: "w", tensor: normal(shape, next, 1 / Math.sqrt(terms)) };
  }
  const quant = weightQuant(axis, shape[axis] ?? 1, next);
  return { name: "w", tensor: weights8(shape, next), quant };
}

/** out (M, N) = x (M, K) · w (K, N), w constant. */
export function matmul(dtype: Precision, m: number, n: number, k: number): KernelCase {
  return {
    kernel: m === 1 ? "gemv" : "matmul",
    dtype,
    shape: `${m}×${n}×${k}`,
    isProduct: true,
    ops: 2 * m * n * k,
    bytes: (m * k + k * n + m * n) * bytesEach(dtype),
    make(next) {
      const x = activations(dtype, [m, k], next);
      const w = weight(dtype, [k, n], 1, next);
      const out = dtype === "int8" ? sumQuant(k, WEIGHT_SCALE) : undefined;
      const graph = single({ op: "MatMul" }, [x, w], out);
      const rows = someOf(m);
      const part = single({ op: "MatMul" }, [gatherOperand(x, 0, rows), w], out);
      return { graph, probe: { kind: "part", graph: part, pick: picker([m, n], 0, rows) } };
    },
  };
}

export interface ConvSpec {
  readonly kernel: string;
  readonly inputs: number;
  readonly outs: number;
  /** Height and width of the input. */
  readonly size: number;
  readonly window: number;
  readonly stride?: number;
  readonly depthwise?: boolean;
}

/** x (1, inputs, size, size) → (1, outs, size/stride, size/stride). */
export function conv(dtype: Precision, spec: ConvSpec): KernelCase {
  const { kernel, inputs, outs, size, window, stride = 1, depthwise = false } = spec;
  const perGroup = depthwise ? 1 : inputs;
  const terms = perGroup * window * window;
  const pad = window >> 1;
  const outSize = Math.floor((size + 2 * pad - window) / stride) + 1;
  const pixels = outSize * outSize;
  const out = dtype === "int8" ? sumQuant(terms, WEIGHT_SCALE) : undefined;
  const attributes = {
    op: "Conv",
    kernel: [window, window],
    strides: [stride, stride],
    dilations: [1, 1],
    pads: [pad, pad, pad, pad],
  } as const;
  return {
    kernel,
    dtype,
    shape: `${inputs}→${outs} ${size}² ${window}×${window}${stride > 1 ? ` /${stride}` : ""}`,
    isProduct: true,
    ops: 2 * pixels * outs * terms,
    bytes: (inputs * size * size + outs * terms + outs * pixels) * bytesEach(dtype),
    make(next) {
      const x = activations(dtype, [1, inputs, size, size], next);
      const w = weight(dtype, [outs, perGroup, window, window], 0, next);
      const b = bias(dtype, outs, w, x, next);
      const graph = single({ ...attributes, group: depthwise ? outs : 1 }, [x, w, b], out);
      const some = someOf(outs);
      const part = single(
        { ...attributes, group: depthwise ? some.length : 1 },
        [
          depthwise ? gatherOperand(x, 1, some) : x,
          gatherOperand(w, 0, some),
          gatherOperand(b, 0, some),
        ],
        out,
      );
      const pick = picker([1, outs, outSize, outSize], 1, some);
      return { graph, probe: { kind: "part", graph: part, pick } };
    },
  };
}

/** Per output; int32 in steps of scale x · scale w where the product is one of integers. */
function bias(dtype: Precision, outs: number, w: Operand, x: Operand, next: Random): Operand {
  if (dtype === "float32") return { name: "b", tensor: normal([outs], next, 0.1) };
  const data = Int32Array.from({ length: outs }, () => Math.round((next() - 0.5) * 20000));
  const step = x.quant?.scale[0] ?? 1;
  const scale = Float32Array.from(w.quant?.scale ?? [], (value) => Math.fround(value * step));
  const quant = { dtype: "int32", scale, zeroPoint: new Int32Array(outs), axis: 0 } as const;
  return { name: "b", tensor: tensor("int32", [outs], data), quant };
}
