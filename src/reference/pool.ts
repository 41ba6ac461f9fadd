// Windows that slide over height and width: greatest value, or sum and number of taps. The mean is
// made by the caller, since the float op divides and the quantized op multiplies,
// docs/quantization.md (36).

import type { NodeOf, Window } from "../graph/node.ts";
import { allocate } from "../tensor/dtype.ts";
import { tensor, type Tensor } from "../tensor/tensor.ts";
import { floatInput, inputAt, outputShape, rounded, type Reals } from "./operands.ts";

/** Sums, and over how many elements each was taken. */
export interface Sums {
  readonly shape: readonly number[];
  readonly data: Float64Array;
  readonly counts: Float64Array;
}

/** Calls `visit` for each element of a pool's output of shape `to` with the source index, in an input of shape
 *  `from`, of every tap of its window; −1 for a tap in the padding. Taps that ceilMode puts beyond the padding
 *  are left out. */
export function forEachWindow(
  node: Window,
  from: readonly number[],
  to: readonly number[],
  visit: (index: number, taps: readonly number[]) => void,
): void {
  const [batch = 0, channels = 0, outHeight = 0, outWidth = 0] = to;
  const [, , height = 0, width = 0] = from;
  const [top, left, bottom, right] = node.pads;
  let index = 0;
  for (let plane = 0; plane < batch * channels; plane++) {
    for (let i = 0; i < outHeight; i++) {
      for (let j = 0; j < outWidth; j++) {
        const taps: number[] = [];
        for (let ky = 0; ky < node.kernel[0]; ky++) {
          const row = i * node.strides[0] + ky * node.dilations[0] - top;
          if (row >= height + bottom) continue;
          for (let kx = 0; kx < node.kernel[1]; kx++) {
            const column = j * node.strides[1] + kx * node.dilations[1] - left;
            if (column >= width + right) continue;
            const inside = row >= 0 && row < height && column >= 0 && column < width;
            taps.push(inside ? (plane * height + row) * width + column : -1);
          }
        }
        visit(index++, taps);
      }
    }
  }
}

/** Sum of each window; the count includes padding only with countIncludePad. */
export function averagePoolSums(node: NodeOf<"AveragePool">, x: Reals): Sums {
  const shape = outputShape(node, [x]);
  const data: number[] = [];
  const counts: number[] = [];
  forEachWindow(node, x.shape, shape, (_, taps) => {
    const inside = taps.filter((tap) => tap >= 0);
    data.push(inside.reduce((sum, tap) => sum + (x.data[tap] ?? NaN), 0));
    counts.push(node.countIncludePad ? taps.length : inside.length);
  });
  return { shape, data: Float64Array.from(data), counts: Float64Array.from(counts) };
}

/** sum / count of each; the mean of nothing (a window all in the padding) is 0. */
export function means({ shape, data, counts }: Sums): Reals {
  return { shape, data: data.map((sum, i) => (counts[i] === 0 ? 0 : sum / (counts[i] ?? NaN))) };
}

/** Float AveragePool. */
export function averagePool(
  node: NodeOf<"AveragePool">,
  inputs: readonly Tensor[],
): Tensor<"float32"> {
  return rounded(means(averagePoolSums(node, floatInput(node, inputs, 0))));
}

/** MaxPool of float32, int8 or uint8; elements are copied. Padding is never the greatest; a window
 *  all in the padding gives the least value of the dtype. */
export function maxPool(node: NodeOf<"MaxPool">, inputs: readonly Tensor[]): Tensor {
  const x = inputAt(node, inputs, 0);
  const shape = outputShape(node, [x]);
  const least = x.dtype === "uint8" ? 0 : x.dtype === "int8" ? -128 : -Infinity;
  const data = allocate(
    x.dtype,
    shape.reduce((product, dim) => product * dim, 1),
  );
  forEachWindow(node, x.shape, shape, (index, taps) => {
    const inside = taps.filter((tap) => tap >= 0);
    data[index] = inside.reduce((most, tap) => Math.max(most, Number(x.data[tap])), least);
  });
  return tensor(x.dtype, shape, data);
}
