// The sum of an f32 array in PyTorch's order. A sum of rounded terms depends on its order, and the
// search (16) compares such sums, so equal ranges need equal order: aten/src/ATen/native/cpu/
// SumKernel.cpp, which x86 builds compile for 8 lanes (AVX2) and never for 16.

import { fl } from "../tensor/rounding.ts";

const lanes = 8;
/** Independent rows of vectors, summed side by side. */
const rows = 4;
const levels = 4;

/** Σ values, f32: 8 lanes × 4 rows of cascaded partial sums, then the rows, the tail, the lanes. */
export function sumF32(values: Float32Array): number {
  const vectors = Math.floor(values.length / lanes);
  const perRow = Math.floor(vectors / rows);
  let total = 0;
  for (let i = vectors * lanes; i < values.length; i++) total = fl(total + (values[i] ?? 0));
  for (let lane = 0; lane < lanes; lane++) {
    const at = (vector: number): number => values[vector * lanes + lane] ?? 0;
    const partial: number[] = [];
    for (let row = 0; row < rows; row++) partial.push(cascade(perRow, (i) => at(i * rows + row)));
    let sum = partial[0] ?? 0;
    for (let vector = perRow * rows; vector < vectors; vector++) sum = fl(sum + at(vector));
    for (const other of partial.slice(1)) sum = fl(sum + other);
    total = fl(total + sum);
  }
  return total;
}

/** Sums of 2ᵖ terms, sums of 2ᵖ such sums, …, four levels; p = max(4, ⌈log₂ size⌉ / 4). */
function cascade(size: number, at: (i: number) => number): number {
  const power = Math.max(4, Math.floor(Math.ceil(Math.log2(Math.max(size, 1))) / levels));
  const step = 2 ** power;
  const acc = new Float32Array(levels); // a store rounds to f32
  let i = 0;
  while (i + step <= size) {
    for (const end = i + step; i < end; i++) acc[0] = (acc[0] ?? 0) + at(i);
    for (let level = 1; level < levels; level++) {
      acc[level] = (acc[level] ?? 0) + (acc[level - 1] ?? 0);
      acc[level - 1] = 0;
      if (i % step ** (level + 1) !== 0) break;
    }
  }
  for (; i < size; i++) acc[0] = (acc[0] ?? 0) + at(i);
  for (let level = 1; level < levels; level++) acc[0] = (acc[0] ?? 0) + (acc[level] ?? 0);
  return acc[0] ?? 0;
}
