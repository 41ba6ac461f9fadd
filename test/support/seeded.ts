// Numbers that are the same on every machine: a test names its seed, and the seed is all it needs to
// be repeated.

import { float32, sizeOf, tensor, type Tensor } from "../../src/tensor/tensor.ts";

/** Mulberry32: uniform numbers in [0, 1). */
export function generator(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

/** Uniform floats in [−span, span). */
export function floats(shape: readonly number[], seed: number, span = 1): Tensor<"float32"> {
  const next = generator(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => (next() * 2 - 1) * span),
  );
}

/** Multiples of `step` in [−count · step, count · step]: half-steps of a quantizer with scale 2 · step. */
export function steps(shape: readonly number[], seed: number, step: number, count = 300) {
  const next = generator(seed);
  return float32(
    shape,
    Float32Array.from({ length: sizeOf(shape) }, () => Math.round((next() * 2 - 1) * count) * step),
  );
}

/** Uniform q of the whole dtype. */
export function codes<D extends "int8" | "uint8" | "int4" | "uint4">(
  dtype: D,
  shape: readonly number[],
  seed: number,
): Tensor<D> {
  const next = generator(seed);
  const count = dtype.endsWith("4") ? 16 : 256;
  const least = dtype.startsWith("u") ? 0 : -count / 2;
  const result = tensor(dtype, shape);
  for (let at = 0; at < result.data.length; at++) {
    result.data[at] = Math.floor(next() * count) + least;
  }
  return result;
}

/** Uniform integers in [−span, span]. */
export function integers(length: number, seed: number, span: number): Int32Array {
  const next = generator(seed);
  return Int32Array.from({ length }, () => Math.round((next() * 2 - 1) * span));
}
