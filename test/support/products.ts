// Products that every kernel family must get right: a residual of other parameters, and a sum that only
// int32 holds.

import { GraphBuilder } from "../../src/graph/builder.ts";
import type { QParams } from "../../src/graph/value.ts";
import { float32, tensor } from "../../src/tensor/tensor.ts";
import type { Case } from "./cases.ts";
import { biasOperand, weightQuant } from "./families/convolution.ts";
import { codes, floats } from "./seeded.ts";

const quant = (scale: number, zeroPoint: number): QParams => ({
  dtype: "uint8",
  scale: Float32Array.of(scale),
  zeroPoint: Int32Array.of(zeroPoint),
});

const plain = { op: "Conv", name: "node", group: 1, dilations: [1, 1] } as const;

/** x0 (1, 20, 9, 11) → conv 3 × 3 → + x1. */
export function residualSum(integer: boolean): Case {
  const builder = new GraphBuilder();
  const shape = [1, 20, 9, 11];
  const real = (from: number) => floats(shape, from);
  const code = (from: number) => codes("uint8", shape, from);
  const window = { kernel: [3, 3], strides: [1, 1], pads: [1, 1, 1, 1] } as const;
  const feeds = integer ? { x0: code(1), x1: code(2) } : { x0: real(1), x1: real(2) };
  const types = integer ? { x0: quant(0.5, 131), x1: quant(0.7, 12) } : undefined;
  for (const name of ["x0", "x1"] as const) {
    const { dtype } = feeds[name];
    builder.input(name, { dtype, shape, ...(types ? { quant: types[name] } : {}) });
  }
  const filter = [20, 20, 3, 3];
  if (integer) builder.constant("filter", codes("int8", filter, 3), weightQuant(0, 20, 4));
  else builder.constant("filter", floats(filter, 3));
  builder.add(
    { ...plain, ...window, inputs: ["x0", "filter"], outputs: ["y"] },
    integer ? { quant: quant(40, 100) } : {},
  );
  builder.add(
    { op: "Add", name: "add", inputs: ["y", "x1"], outputs: ["sum"], low: 0 },
    integer ? { quant: quant(30, 90) } : {},
  );
  return { graph: builder.build("residual", ["x0", "x1"], ["sum"]), feeds };
}

/** x0 (45, 24) · matrix (24, 26) + x1, clamped at −2, where x1 takes a tenth and more of the product away; the range of the
 *  sum is observed. Seven output words: no tile of eight is full. */
export function observedSum(): Case {
  const builder = new GraphBuilder();
  const [rows, inner, columns] = [45, 24, 26];
  const x0 = floats([rows, inner], 1);
  const matrix = floats([inner, columns], 2);
  const product = (at: number) => {
    let sum = 0;
    const [row, column] = [Math.floor(at / columns), at % columns];
    for (let k = 0; k < inner; k++)
      sum += (x0.data[row * inner + k] ?? 0) * (matrix.data[k * columns + column] ?? 0);
    return sum;
  };
  const x1 = float32(
    [rows, columns],
    Float32Array.from(
      { length: rows * columns },
      (_, at) => (0.008 * (at % 97) - 0.9) * product(at),
    ),
  );
  builder.input("x0", { dtype: "float32", shape: x0.shape });
  builder.input("x1", { dtype: "float32", shape: x1.shape });
  builder.constant("matrix", matrix);
  builder.add({ op: "MatMul", name: "product", inputs: ["x0", "matrix"], outputs: ["y"] });
  builder.add({ op: "Add", name: "add", inputs: ["y", "x1"], outputs: ["sum"], low: -2 });
  const observer = { kind: "minMax" } as const;
  builder.add({ op: "Observe", name: "observe", inputs: ["sum"], outputs: [], observer });
  return { graph: builder.build("observed", ["x0", "x1"], ["sum"]), feeds: { x0, x1 } };
}

/** 1,200 inputs near the greatest byte, weights near 127: sums beyond 2²⁴ after 1,024 terms, or in groups of half as
 *  many, below it. The bias is int32, or float as PyTorch's engines keep it. */
export function deepProduct({ group = 1, floatBias = false } = {}): Case {
  const builder = new GraphBuilder();
  const inputs = 1200;
  const outs = group === 1 ? 140 : 144; // whole words of a group
  const x = tensor(
    "uint8",
    [1, inputs, 1, 3],
    Uint8Array.from({ length: inputs * 3 }, (_, i) => 255 - (i % 7)),
  );
  builder.input("x0", { dtype: "uint8", shape: x.shape, quant: quant(0.03, 0) });
  const perGroup = inputs / group;
  const weights = Int8Array.from({ length: outs * perGroup }, (_, i) => 127 - (i % 5));
  builder.constant(
    "filter",
    tensor("int8", [outs, perGroup, 1, 1], weights),
    weightQuant(0, outs, 5),
  );
  const { tensor: bias, quant: biasQuant } = biasOperand(outs, 6, 12345);
  if (floatBias) builder.constant("bias", floats([outs], 7));
  else builder.constant("bias", bias, biasQuant);
  builder.add(
    {
      ...plain,
      group,
      kernel: [1, 1],
      strides: [1, 1],
      pads: [0, 0, 0, 0],
      inputs: ["x0", "filter", "bias"],
      outputs: ["y0"],
    },
    { quant: quant(9000, 3) },
  );
  return { graph: builder.build("deep", ["x0"], ["y0"]), feeds: { x0: x } };
}
