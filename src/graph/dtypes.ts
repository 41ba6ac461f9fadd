// Which op computes on which element types. One table serves the importer, which refuses the rest by name,
// and the lowering, whose float kernels would take an integer's bits for a float's.

import type { DType } from "../tensor/dtype.ts";
import type { Node, Op } from "./node.ts";

const bytes = "int8 uint8";
const integers = `${bytes} int32 int64`;
const all = `${integers} bool`;

/** Beside float32: the plain element types that each op takes. */
const plain: readonly (readonly [ops: string, dtypes: string])[] = [
  ["Identity Flatten Reshape Squeeze Unsqueeze Transpose Concat Pad Slice Split Expand", all],
  ["Cast Gather Where", all],
  ["Equal Less LessOrEqual Greater GreaterOrEqual", all],
  ["And Or Xor Not", "bool"],
  ["Add Sub Mul Div", integers],
  ["Clip MaxPool", bytes],
  ["ConvInteger MatMulInteger MatMulIntegerToFloat", bytes],
  ["CrossEntropy CrossEntropyGrad GatherGrad LSTMGrad GRUGrad", "int32 int64"],
  ["LSTM GRU", "int8 uint8 int32"],
];

const table = new Map(
  plain.flatMap(([ops, dtypes]) => ops.split(" ").map((op) => [op, new Set(dtypes.split(" "))])),
);

/** Whether `op` reads plain (not quantized) elements of `dtype`. */
export function takes(op: Op, dtype: DType): boolean {
  return dtype === "float32" || (table.get(op)?.has(dtype) ?? false);
}

/** The input whose element type and quantization the output of `node` has. */
export function carrierOf({ op }: Node): number {
  return op === "Where" ? 1 : 0;
}
