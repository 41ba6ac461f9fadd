// test/fixtures/nonfinite.json: what ONNX Runtime makes of NaN, infinities, zeros, subnormal and huge numbers. A group
// is one model and its inputs; each of its outputs is a case.

import { readFileSync } from "node:fs";
import { view, type DType } from "../../src/tensor/dtype.ts";
import { float32, tensor, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";

export interface NonFiniteGroup {
  readonly name: string;
  readonly model: Uint8Array;
  readonly inputs: Tensors;
  readonly wanted: ReadonlyMap<string, Tensor>;
}

interface Stored {
  readonly dtype?: DType;
  readonly shape: readonly number[];
  readonly data: string;
}

const bytesOf = (text: string) => Uint8Array.from(Buffer.from(text, "base64"));

function tensorOf({ dtype = "float32", shape, data }: Stored): Tensor {
  const count = shape.reduce((product, size) => product * size, 1);
  return tensor(dtype, shape, view(dtype, bytesOf(data).buffer, 0, count));
}

export function nonFiniteGroups(): NonFiniteGroup[] {
  const path = new URL("../fixtures/nonfinite.json", import.meta.url);
  const { groups } = JSON.parse(readFileSync(path, "utf8")) as {
    groups: {
      name: string;
      model: string;
      inputs: Record<string, Stored>;
      outputs: Record<string, Stored>;
    }[];
  };
  return groups.map(({ name, model, inputs, outputs }) => ({
    name,
    model: bytesOf(model),
    inputs: Object.fromEntries(Object.entries(inputs).map(([key, each]) => [key, tensorOf(each)])),
    wanted: new Map(Object.entries(outputs).map(([key, each]) => [key, tensorOf(each)])),
  }));
}

/** How `got` differs from each of `wants`, in words: NaN and infinities must be equal, numbers close. `allowed` says what
 *  a finite number may differ by. */
export function unequal(
  got: Tensor | undefined,
  wants: readonly Tensor[],
  allowed: (want: number) => number,
): string | undefined {
  const [want] = wants;
  if (!want || got?.dtype !== want.dtype || got.shape.join() !== want.shape.join())
    return `type ${got?.dtype}[${got?.shape.join()}] for ${want?.dtype}[${want?.shape.join()}]`;
  const wrong = Array.from({ length: want.data.length }, (_, index) => {
    const g = Number(got.data[index]);
    const found = wants.map(({ data }) => Number(data[index]));
    const isSame = found.some(
      (w) => g === w || (Number.isNaN(g) && Number.isNaN(w)) || Math.abs(g - w) <= allowed(w),
    );
    return isSame ? "" : `${index}: ${g} for ${found.join(" or ")}`;
  }).filter((words) => words !== "");
  return wrong.length === 0 ? undefined : wrong.slice(0, 12).join("; ");
}

/** `tensors` with 0 of the same sign in place of every subnormal number. */
export function flushed(tensors: Tensors): Tensors {
  const flush = (value: number) => (Math.abs(value) < 2 ** -126 ? (value < 0 ? -0 : 0) : value);
  return Object.fromEntries(
    Object.entries(tensors).map(([name, { shape, data }]) => [
      name,
      float32(shape, Array.from(data as Float32Array, flush)),
    ]),
  );
}
