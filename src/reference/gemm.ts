// Matrix products: Gemm and numpy matmul are the same triple loop. Gemm's transposes are made
// first, as copies, so the loop has one layout.

import type { NodeOf } from "../graph/node.ts";
import { broadcastShapes, nodeError } from "../graph/shapes.ts";
import { formatShape, sizeOf, type Tensor } from "../tensor/tensor.ts";
import {
  WRONG_SHAPES,
  broadcast,
  broadcastIndices,
  floatInput,
  rounded,
  type Reals,
} from "./operands.ts";

/** (rows, columns) → (columns, rows). */
export function transposed({ shape, data }: Reals): Reals {
  const [rows = 0, columns = 0] = shape;
  const turned = data.map((_, i) => data[(i % rows) * columns + Math.floor(i / rows)] ?? NaN);
  return { shape: [columns, rows], data: turned };
}

/** numpy matmul: a (…, M, K) · b (…, K, N) → (…, M, N); leading axes broadcast, and an operand
 *  of one axis is a row on the left or a column on the right, with its axis dropped from the
 *  result. */
export function matmulSums(
  node: NodeOf<"Gemm" | "MatMul" | "MatMulInteger" | "MatMulIntegerToFloat">,
  a: Reals,
  b: Reals,
): Reals {
  const left = a.shape.length === 1 ? [1, ...a.shape] : a.shape;
  const right = b.shape.length === 1 ? [...b.shape, 1] : b.shape;
  const [m = 0, k = 0] = left.slice(-2);
  const [rows = 0, n = 0] = right.slice(-2);
  if (k !== rows) {
    throw nodeError(
      node,
      "inner sizes must agree",
      `${formatShape(a.shape)} and ${formatShape(b.shape)}`,
      WRONG_SHAPES,
    );
  }
  const leading = broadcastShapes(node, left.slice(0, -2), right.slice(0, -2)).map(Number);
  const matrixOfA = broadcastIndices(left.slice(0, -2), leading);
  const matrixOfB = broadcastIndices(right.slice(0, -2), leading);
  const data = new Float64Array(sizeOf(leading) * m * n);
  let index = 0;
  for (let batch = 0; batch < matrixOfA.length; batch++) {
    const firstA = (matrixOfA[batch] ?? 0) * m * k;
    const firstB = (matrixOfB[batch] ?? 0) * k * n;
    for (let i = 0; i < m; i++) {
      for (let j = 0; j < n; j++) {
        let sum = 0;
        for (let l = 0; l < k; l++) {
          sum += (a.data[firstA + i * k + l] ?? NaN) * (b.data[firstB + l * n + j] ?? NaN);
        }
        data[index++] = sum;
      }
    }
  }
  const shape = [
    ...leading,
    ...(a.shape.length === 1 ? [] : [m]),
    ...(b.shape.length === 1 ? [] : [n]),
  ];
  return { shape, data };
}

/** Σ of a Gemm: op(a) (M, K) · op(b) (K, N), without alpha, beta and c. */
export function gemmSums(node: NodeOf<"Gemm">, a: Reals, b: Reals): Reals {
  return matmulSums(node, node.transA ? transposed(a) : a, node.transB ? transposed(b) : b);
}

/** Float Gemm: clamp(alpha · op(a) · op(b) + beta · c). inputs: a, b, c?. */
export function gemm(node: NodeOf<"Gemm">, inputs: readonly Tensor[]): Tensor<"float32"> {
  const { alpha, beta } = node;
  const { shape, data } = gemmSums(node, floatInput(node, inputs, 0), floatInput(node, inputs, 1));
  const c = inputs.length > 2 ? broadcast(node, floatInput(node, inputs, 2), shape) : undefined;
  const sums = data.map((sum, i) => alpha * sum + (c ? beta * (c[i] ?? NaN) : 0));
  return rounded({ shape, data: sums }, node);
}

/** Float MatMul with its clamp. inputs: a, b. */
export function matmul(node: NodeOf<"MatMul">, inputs: readonly Tensor[]): Tensor<"float32"> {
  return rounded(matmulSums(node, floatInput(node, inputs, 0), floatInput(node, inputs, 1)), node);
}
