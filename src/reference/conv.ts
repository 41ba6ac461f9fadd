// Convolution: y[b, o, i, j] = clamp(bias[o] + Σ x[b, c, i·stride + ky·dilation − top, …] ·
// filter[o, c, ky, kx]). Each tap (c, ky, kx) adds its share to a whole output plane. Padding is
// left out of the sum: that is real 0, and q − zeroPoint = 0, so the loop serves floats and integers.

import type { Node, NodeOf } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import { formatShape, type Tensor } from "../tensor/tensor.ts";
import {
  WRONG_SHAPES,
  floatInput,
  outputShape,
  perChannel,
  rounded,
  type Reals,
} from "./operands.ts";

/** Σ x · filter without bias. x (B, C, H, W), filter (O, C/group, kh, kw) → (B, O, OH, OW). */
export function convSums(node: NodeOf<"Conv" | "ConvInteger">, x: Reals, filter: Reals): Reals {
  const shape = outputShape(node, [x, filter]);
  const [[strideY, strideX], [dilationY, dilationX], [top, left]] = [
    node.strides,
    node.dilations,
    node.pads,
  ];
  const [batch = 0, outs = 0, outHeight = 0, outWidth = 0] = shape;
  const [, channels = 0, height = 0, width = 0] = x.shape;
  const [, perGroup = 0, kernelHeight = 0, kernelWidth = 0] = filter.shape;
  if (kernelHeight !== node.kernel[0] || kernelWidth !== node.kernel[1]) {
    throw nodeError(
      node,
      `kernel must be the filter's last axes ${formatShape([kernelHeight, kernelWidth])}`,
      formatShape(node.kernel),
      WRONG_SHAPES,
    );
  }
  const outsPerGroup = outs / node.group;
  const data = new Float64Array(batch * outs * outHeight * outWidth);
  for (let b = 0; b < batch; b++) {
    for (let o = 0; o < outs; o++) {
      const outPlane = (b * outs + o) * outHeight * outWidth;
      const firstChannel = Math.floor(o / outsPerGroup) * perGroup;
      for (let c = 0; c < perGroup; c++) {
        const xPlane = (b * channels + firstChannel + c) * height * width;
        for (let ky = 0; ky < kernelHeight; ky++) {
          for (let kx = 0; kx < kernelWidth; kx++) {
            const tap =
              filter.data[((o * perGroup + c) * kernelHeight + ky) * kernelWidth + kx] ?? NaN;
            for (let i = 0; i < outHeight; i++) {
              const row = i * strideY + ky * dilationY - top;
              if (row < 0 || row >= height) continue;
              for (let j = 0; j < outWidth; j++) {
                const column = j * strideX + kx * dilationX - left;
                if (column < 0 || column >= width) continue;
                const at = outPlane + i * outWidth + j;
                data[at] = (data[at] ?? NaN) + tap * (x.data[xPlane + row * width + column] ?? NaN);
              }
            }
          }
        }
      }
    }
  }
  return { shape, data };
}

/** `sums` (B, O, OH, OW) plus bias (O). */
export function addChannelBias(node: Node, sums: Reals, bias: Reals): Reals {
  const [, outs = 1, height = 1, width = 1] = sums.shape;
  const added = perChannel(node, bias, outs);
  const channelOf = (index: number) => Math.floor(index / (height * width)) % outs;
  return { ...sums, data: sums.data.map((sum, i) => sum + (added[channelOf(i)] ?? NaN)) };
}

/** Float Conv. inputs: x, filter, bias?; the clamp is applied last. */
export function conv(node: NodeOf<"Conv">, inputs: readonly Tensor[]): Tensor<"float32"> {
  const sums = convSums(node, floatInput(node, inputs, 0), floatInput(node, inputs, 1));
  const biased = inputs.length > 2 ? addChannelBias(node, sums, floatInput(node, inputs, 2)) : sums;
  return rounded(biased, node);
}
