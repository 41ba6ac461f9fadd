// The gradients of Conv, each a sum over the same places as its own: docs/quantization.md (90), (91).

import type { ConvGradFilter, ConvTranspose } from "../graph/convGrads.ts";
import type { Window } from "../graph/node.ts";
import { sizeOf, type Tensor } from "../tensor/tensor.ts";
import { floatInput, outputShape, rounded } from "./operands.ts";

interface Sizes {
  readonly batch: number;
  readonly group: number;
  /** Of the Conv's input and output. */
  readonly channels: number;
  readonly places: readonly [number, number];
  readonly outs: number;
  readonly outPlaces: readonly [number, number];
}

/** Every product of a Conv, as places of the elements of x, filter and y. */
function forEachProduct(
  { kernel, strides, dilations, pads }: Window,
  { batch, group, channels, places, outs, outPlaces }: Sizes,
  visit: (x: number, filter: number, y: number) => void,
): void {
  const [perGroup, outsPerGroup] = [channels / group, outs / group];
  const inside = (out: number, tap: number, axis: 0 | 1): number | undefined => {
    const at = out * strides[axis] + tap * dilations[axis] - pads[axis];
    return at >= 0 && at < places[axis] ? at : undefined;
  };
  for (let b = 0; b < batch; b++) {
    for (let o = 0; o < outs; o++) {
      for (let c = 0; c < perGroup; c++) {
        const plane = b * channels + Math.floor(o / outsPerGroup) * perGroup + c;
        for (let ky = 0; ky < kernel[0]; ky++) {
          for (let kx = 0; kx < kernel[1]; kx++) {
            const filter = ((o * perGroup + c) * kernel[0] + ky) * kernel[1] + kx;
            for (let i = 0; i < outPlaces[0]; i++) {
              const row = inside(i, ky, 0);
              if (row === undefined) continue;
              for (let j = 0; j < outPlaces[1]; j++) {
                const column = inside(j, kx, 1);
                if (column === undefined) continue;
                const x = (plane * places[0] + row) * places[1] + column;
                visit(x, filter, ((b * outs + o) * outPlaces[0] + i) * outPlaces[1] + j);
              }
            }
          }
        }
      }
    }
  }
}

/** inputs: dY, filter. */
export function convTranspose(node: ConvTranspose, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [dY, filter] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const shape = outputShape(node, [dY, filter]);
  const [batch = 0, outs = 0, height = 0, width = 0] = dY.shape;
  const data = new Float64Array(sizeOf(shape));
  const sizes: Sizes = {
    ...{ batch, group: node.group, channels: shape[1] ?? 0, places: node.size },
    ...{ outs, outPlaces: [height, width] },
  };
  forEachProduct(node, sizes, (x, tap, y) => {
    data[x] = (data[x] ?? 0) + (filter.data[tap] ?? NaN) * (dY.data[y] ?? NaN);
  });
  return rounded({ shape, data });
}

/** inputs: x, dY. */
export function convGradFilter(node: ConvGradFilter, inputs: readonly Tensor[]): Tensor<"float32"> {
  const [x, dY] = [floatInput(node, inputs, 0), floatInput(node, inputs, 1)];
  const shape = outputShape(node, [x, dY]);
  const [batch = 0, channels = 0, height = 0, width = 0] = x.shape;
  const [, outs = 0, outHeight = 0, outWidth = 0] = dY.shape;
  const data = new Float64Array(sizeOf(shape));
  const sizes: Sizes = {
    ...{ batch, group: node.group, channels, places: [height, width] },
    ...{ outs, outPlaces: [outHeight, outWidth] },
  };
  forEachProduct(node, sizes, (at, tap, y) => {
    data[tap] = (data[tap] ?? 0) + (x.data[at] ?? NaN) * (dY.data[y] ?? NaN);
  });
  return rounded({ shape, data });
}
