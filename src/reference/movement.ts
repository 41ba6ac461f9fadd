// Ops that move elements and compute nothing: for each output element, which input element stands
// there. They serve every dtype, and quantized values keep their parameters.

import type { Movement, Node, NodeOf } from "../graph/node.ts";
import { sliceRange } from "../graph/extents.ts";
import { nodeError, sizeAt } from "../graph/shapes.ts";
import { allocate, type DType } from "../tensor/dtype.ts";
import { sizeOf, stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { forEachIndex, inputAt } from "./operands.ts";

const movements = new Set([
  "Flatten",
  "Reshape",
  "Transpose",
  "Squeeze",
  "Unsqueeze",
  "Expand",
  "Concat",
  "Pad",
  "Slice",
  "Split",
]);

/** Whether `node` only moves elements. */
export function isMovement(node: Node): node is Movement {
  return movements.has(node.op);
}

/** Elements of `x` in `shape`: `source` gives the input coordinate along each input axis; where
 *  one is outside, `fill` stands. */
function gather<D extends DType>(
  x: Tensor<D>,
  shape: readonly number[],
  source: (at: readonly number[], axis: number) => number,
  fill = 0,
): Tensor<D> {
  const strides = stridesOf(x.shape);
  const data = allocate(x.dtype, sizeOf(shape));
  const filler = x.dtype === "int64" ? BigInt(fill) : fill;
  forEachIndex(shape, (at, index) => {
    let from = 0;
    let inside = true;
    for (let axis = 0; axis < x.shape.length; axis++) {
      const place = source(at, axis);
      inside &&= place >= 0 && place < (x.shape[axis] ?? 0);
      from += place * (strides[axis] ?? 0);
    }
    data[index] = inside ? (x.data[from] ?? NaN) : filler;
  });
  return tensor(x.dtype, shape, data);
}

/** `inputs` of equal dtype joined along `axis`. */
function concat(
  node: NodeOf<"Concat">,
  inputs: readonly Tensor[],
  shape: readonly number[],
): Tensor {
  const { dtype } = inputAt(node, inputs, 0);
  const other = inputs.find((part) => part.dtype !== dtype);
  if (other) {
    throw nodeError(
      node,
      "inputs must have one dtype",
      `${dtype} and ${other.dtype}`,
      "Insert a Cast, or a Quantize or Dequantize.",
    );
  }
  const data = allocate(dtype, sizeOf(shape));
  const outer = sizeOf(shape.slice(0, node.axis));
  let at = 0;
  for (let block = 0; block < outer; block++) {
    for (const part of inputs) {
      const length = sizeOf(part.shape.slice(node.axis));
      for (let i = 0; i < length; i++) data[at++] = part.data[block * length + i] ?? NaN;
    }
  }
  return tensor(dtype, shape, data);
}

/**
 * The outputs of a movement op.
 * @param shapes Shapes of the outputs, from the graph: Reshape's −1 and names are resolved there.
 * @param fill What Pad writes, in stored units: `node.value`, or its q for a quantized tensor.
 */
export function move(
  node: Movement,
  inputs: readonly Tensor[],
  shapes: readonly (readonly number[])[],
  fill: number = node.op === "Pad" ? node.value : 0,
): Tensor[] {
  const x = inputAt(node, inputs, 0);
  const [shape = []] = shapes;
  switch (node.op) {
    case "Flatten":
    case "Reshape":
    case "Squeeze":
    case "Unsqueeze":
      return [tensor(x.dtype, shape, x.data)];
    case "Transpose":
      return [gather(x, shape, (at, axis) => at[node.perm.indexOf(axis)] ?? 0)];
    case "Expand": {
      const skipped = shape.length - x.shape.length;
      const place = (at: readonly number[], axis: number) =>
        x.shape[axis] === 1 ? 0 : (at[axis + skipped] ?? 0);
      return [gather(x, shape, place)];
    }
    case "Concat":
      return [concat(node, inputs, shape)];
    case "Pad":
      return [
        gather(
          x,
          shape,
          (at, axis) => {
            const place = (at[axis] ?? 0) - (node.pads[axis] ?? 0);
            const last = (x.shape[axis] ?? 1) - 1;
            if (node.mode === "edge") return Math.min(Math.max(place, 0), last);
            if (node.mode === "reflect") return last - Math.abs(last - Math.abs(place));
            return place;
          },
          fill,
        ),
      ];
    case "Slice":
      return [
        gather(x, shape, (at, axis) => {
          const listed = node.axes.indexOf(axis);
          if (listed < 0) return at[axis] ?? 0;
          const step = node.steps[listed] ?? 1;
          const start = sizeAt(node, node.starts, listed);
          const end = sizeAt(node, node.ends, listed);
          return sliceRange(x.shape[axis] ?? 0, start, end, step).start + step * (at[axis] ?? 0);
        }),
      ];
    case "Split": {
      let first = 0;
      return node.sizes.map((size, part) => {
        const offset = first;
        first += size;
        return gather(
          x,
          shapes[part] ?? [],
          (at, axis) => (at[axis] ?? 0) + (axis === node.axis ? offset : 0),
        );
      });
    }
    default:
      return node satisfies never;
  }
}
