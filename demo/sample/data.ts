// The sample's pictures as the network takes them: one by one for `train`, in batches for the other verbs.

import { float32, type Tensor } from "../../src/tensor/tensor.ts";
import type { IndexedData, TrainingSample } from "../../src/training/samples.ts";
import { samplePicture, type Split } from "./pictures.ts";

/** Side of a picture, px. */
export const SIDE = 48;

/** (3, side, side): the picture's bytes / 127.5 − 1, each pixel the mean of those it stands for. */
function pixels(data: Uint8Array, side: number): Tensor<"float32"> {
  const factor = SIDE / side;
  const out = new Float32Array(3 * side * side);
  for (let y = 0; y < SIDE; y++)
    for (let x = 0; x < SIDE; x++)
      for (let c = 0; c < 3; c++) {
        const at = (c * side + Math.floor(y / factor)) * side + Math.floor(x / factor);
        out[at] = (out[at] ?? 0) + (data[(y * SIDE + x) * 3 + c] ?? 0);
      }
  return float32(
    [3, side, side],
    out.map((sum) => sum / (factor * factor) / 127.5 - 1),
  );
}

/** The first `count` pictures of a split, shrunk to `side`, which divides SIDE. */
export function pictures(split: Split, count: number, side = SIDE): IndexedData {
  const known = new Map<number, TrainingSample>();
  return {
    length: count,
    get(index) {
      const found = known.get(index);
      if (found) return found;
      const { data, label } = samplePicture(index, split);
      const sample = { tensors: { images: pixels(data, side) }, label };
      if (side < SIDE) known.set(index, sample);
      return sample;
    },
  };
}

/** The first `count` pictures of a split, `size` at a time; the last ones that fill no batch are left out. */
export async function* batches(split: Split, count: number, size: number) {
  const data = pictures(split, count);
  for (let start = 0; start + size <= count; start += size) {
    const samples = await Promise.all(Array.from({ length: size }, (_, i) => data.get(start + i)));
    const stacked = new Float32Array(size * 3 * SIDE * SIDE);
    samples.forEach(({ tensors }, i) => {
      stacked.set(tensors["images"]?.data as Float32Array, i * 3 * SIDE * SIDE);
    });
    const tensors = { images: float32([size, 3, SIDE, SIDE], stacked) };
    yield { tensors, labels: samples.map(({ label }) => Number(label)) };
  }
}
