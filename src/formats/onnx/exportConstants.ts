// A constant → an initializer, or the node that makes it: what an importer folded into a table of one value, of
// numbers that go up evenly, or of another one's rows as columns (tied embeddings) is written as ConstantOfShape,
// Range and Transpose again, and costs no bytes.

import { tensor, type Tensor } from "../../tensor/tensor.ts";
import { tensorProto, type Draft } from "./draft.ts";

/** Bytes from which on a node is shorter than the table. */
const LEAST = 512;

/** Write constant `name`; `others` are matrices that are in the file already, and get this one. */
export function exportConstant(
  draft: Draft,
  name: string,
  data: Tensor,
  others: Map<string, Tensor>,
): void {
  const isPlain = !["float16", "int4", "uint4"].includes(data.dtype);
  if (!isPlain || data.data.byteLength < LEAST) return draft.initializer(name, data);
  const [first = 0, second = 0] = data.data;
  if (data.data.every((value) => Object.is(value, first))) {
    const shape = draft.integers(`${name}_shape`, data.shape);
    const value = tensor(data.dtype, [1], data.data.slice(0, 1) as never) as Tensor;
    const attribute = { kind: "tensor", value: tensorProto("", value) } as const;
    return draft.node("ConstantOfShape", "", [shape], [name], { value: attribute });
  }
  if (data.shape.length === 2) {
    const turned = [...others].find(([, other]) => isTransposed(data, other));
    if (turned) {
      const perm = { kind: "ints", value: [1n, 0n] } as const;
      return draft.node("Transpose", "", [turned[0]], [name], { perm });
    }
    others.set(name, data);
  }
  const step = Number(second) - Number(first);
  const isInteger = data.dtype === "int64" || data.dtype === "int32";
  const isRamp = (value: number | bigint, at: number) =>
    Number(value) === Number(first) + at * step;
  if (!isInteger || data.shape.length !== 1 || ![...data.data].every(isRamp)) {
    return draft.initializer(name, data);
  }
  const end = Number(first) + data.data.length * step;
  const bounds = [Number(first), end, step].map((bound) =>
    draft.scalar(`${name}_bound`, bound, data.dtype),
  );
  draft.node("Range", "", bounds, [name]);
}

/** Whether the rows of `a` are the columns of `b`. */
function isTransposed(a: Tensor, b: Tensor): boolean {
  const [rows = 0, columns = 0] = a.shape;
  if (a.dtype !== b.dtype || b.shape[0] !== columns || b.shape[1] !== rows) return false;
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      if (a.data[row * columns + column] !== b.data[column * rows + row]) return false;
    }
  }
  return true;
}
