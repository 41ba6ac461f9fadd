// Products are linear in each operand, so the gradient by one of them is a product of the other with dY: of the same
// window for convolutions, docs/quantization.md (90) and (91), and for matrices
//
//   Y = A · B:   dA = dY · Bᵀ,   dB = Aᵀ · dY
//
// where leading axes that broadcast are summed, and a matrix under rows of any number of axes sees them as one.

import type { Window } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import type { Backward } from "../backward.ts";
import type { Rules } from "../rule.ts";

const windowOf = ({ kernel, strides, dilations, pads }: Window): Window => {
  return { kernel, strides, dilations, pads };
};

const placesOf = (back: Backward, name: string): readonly [number, number] => {
  const [, , height = 1, width = 1] = back.shape(name);
  return [height, width];
};

const flags = { alpha: 1, beta: 1, transA: false, transB: false } as const;

function reshaped(back: Backward, name: string, shape: readonly number[]): string {
  if (back.shape(name).join() === shape.join()) return name;
  return back.add({ op: "Reshape", inputs: [name], shape });
}

/** The last two axes of `name`, swapped. */
function turned(back: Backward, name: string): string {
  const perm = back.shape(name).map((_, axis) => axis);
  const [row = 0, column = 0] = perm.splice(-2);
  return back.add({ op: "Transpose", inputs: [name], perm: [...perm, column, row] });
}

/** Σ over batch and places of dY, the places first: each picture's sum is one of its own, side by side. */
function biasGradient(back: Backward, dY: string): string {
  const sums = back.add({ op: "ReduceSum", inputs: [dY], axes: [2, 3], keepdims: true });
  return back.add({ op: "ReduceSum", inputs: [sums], axes: [0, 2, 3], keepdims: false });
}

export const productRules: Rules = {
  Conv: (back, node, [dY = ""], wanted) => {
    const [x = "", filter = ""] = node.inputs;
    const shared = { ...windowOf(node), group: node.group };
    const size = placesOf(back, x);
    return [
      wanted[0]
        ? back.add({ op: "ConvTranspose", inputs: [dY, filter], ...shared, size })
        : undefined,
      wanted[1] ? back.add({ op: "ConvGradFilter", inputs: [x, dY], ...shared }) : undefined,
      wanted[2] ? biasGradient(back, dY) : undefined,
    ];
  },

  ConvTranspose: (back, node, [dY = ""], wanted) => {
    const [x = "", filter = ""] = node.inputs;
    const shared = { ...windowOf(node), group: node.group };
    return [
      wanted[0] ? back.add({ op: "Conv", inputs: [dY, filter], ...shared }) : undefined,
      wanted[1] ? back.add({ op: "ConvGradFilter", inputs: [dY, x], ...shared }) : undefined,
    ];
  },

  ConvGradFilter: (back, node, [dFilter = ""], wanted) => {
    const [x = "", dY = ""] = node.inputs;
    const shared = { ...windowOf(node), group: node.group };
    const size = placesOf(back, x);
    return [
      wanted[0]
        ? back.add({ op: "ConvTranspose", inputs: [dY, dFilter], ...shared, size })
        : undefined,
      wanted[1] ? back.add({ op: "Conv", inputs: [x, dFilter], ...shared }) : undefined,
    ];
  },

  Gemm: (back, { alpha, beta, transA, transB, inputs }, [dY = ""], wanted) => {
    const [a = "", b = "", c = ""] = inputs;
    const product = (left: string, right: string, first: boolean, second: boolean) =>
      back.add({
        op: "Gemm",
        inputs: [left, right],
        ...{ ...flags, alpha, transA: first, transB: second },
      });
    const dA = () => (transA ? product(b, dY, transB, true) : product(dY, b, false, !transB));
    const dB = () => (transB ? product(dY, a, true, transA) : product(a, dY, !transA, false));
    const dC = () => {
      const sum = back.sumTo(dY, back.shape(c));
      return beta === 1 ? sum : back.add({ op: "Mul", inputs: [sum, back.scalar(beta)] });
    };
    return [
      wanted[0] ? dA() : undefined,
      wanted[1] ? dB() : undefined,
      wanted[2] ? dC() : undefined,
    ];
  },

  MatMul: (back, { inputs: [a = "", b = ""] }, [dY = ""], wanted) => {
    const [aShape, bShape] = [back.shape(a), back.shape(b)];
    const [m, n] = [aShape.at(-2) ?? 1, bShape.length === 1 ? 1 : (bShape.at(-1) ?? 1)];
    const k = aShape.at(-1) ?? 1;
    const finish = (gradient: string, shape: readonly number[]) => reshaped(back, gradient, shape);
    if (bShape.length <= 2) {
      // One matrix: all rows of a are rows of one product.
      const rows = sizeOf(aShape.slice(0, -1));
      const [right, dRows] = [reshaped(back, b, [k, n]), reshaped(back, dY, [rows, n])];
      const gemm = (inputs: readonly string[], transposed: { transA?: true; transB?: true }) =>
        back.add({ op: "Gemm", inputs, ...flags, ...transposed });
      return [
        wanted[0] ? finish(gemm([dRows, right], { transB: true }), aShape) : undefined,
        wanted[1]
          ? finish(gemm([reshaped(back, a, [rows, k]), dRows], { transA: true }), bShape)
          : undefined,
      ];
    }
    // A vector on the left is a row of its own in every batch.
    const rows = aShape.length === 1 ? 1 : m;
    const left = reshaped(back, a, [...aShape.slice(0, -2), rows, k]);
    const leading = back.shape(dY).slice(0, aShape.length === 1 ? -1 : -2);
    const dMatrix = reshaped(back, dY, [...leading, rows, n]);
    const matmul = (first: string, second: string) =>
      back.add({ op: "MatMul", inputs: [first, second] });
    const summed = (gradient: string, shape: readonly number[]) => back.sumTo(gradient, shape);
    return [
      wanted[0]
        ? finish(summed(matmul(dMatrix, turned(back, b)), back.shape(left)), aShape)
        : undefined,
      wanted[1] ? summed(matmul(turned(back, left), dMatrix), bShape) : undefined,
    ];
  },
};
