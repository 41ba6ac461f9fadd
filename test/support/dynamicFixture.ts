// test/fixtures/dynamic.json: what PyTorch's dynamic quantization does, and the models it did it to.

import { readFileSync } from "node:fs";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { Model } from "../../src/model.ts";
import { float32, type Tensor } from "../../src/tensor/tensor.ts";

interface Params {
  readonly scale: string;
  readonly zeroPoint: readonly number[];
}

/** What an engine made of a layer; arrays in base64. */
export interface EngineResult {
  readonly q: string;
  readonly scale: string;
  readonly zeroPoint: number;
  readonly weight: string;
  readonly y: string;
}

export interface LinearFixture {
  readonly rows: number;
  readonly columns: number;
  readonly outs: number;
  readonly perChannel: boolean;
  readonly x: string;
  readonly weight: string;
  readonly bias: string;
  readonly engines: Readonly<Partial<Record<"fbgemm" | "qnnpack", EngineResult>>>;
}

interface Fixture {
  readonly torch: string;
  readonly qparams: { readonly ranges: string; readonly whole: Params; readonly reduced: Params };
  readonly linears: readonly LinearFixture[];
}

const file = new URL("../fixtures/dynamic.json", import.meta.url);
export const dynamicFixture = JSON.parse(readFileSync(file, "utf8")) as Fixture;

export function bytesFrom(text: string): Uint8Array {
  return Uint8Array.from(Buffer.from(text, "base64"));
}

export function floatsFrom(text: string): Float32Array {
  return new Float32Array(bytesFrom(text).buffer);
}

/** nn.Linear of the fixture: x (rows, columns) → y (rows, outs). */
export function linearModel({ rows, columns, outs, ...rest }: LinearFixture): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [rows, columns] });
  builder.constant("w", float32([outs, columns], floatsFrom(rest.weight)));
  builder.constant("b", float32([outs], floatsFrom(rest.bias)));
  const attributes = { alpha: 1, beta: 1, transA: false, transB: true };
  const ports = { inputs: ["x", "w", "b"], outputs: ["y"] };
  builder.add({ op: "Gemm", name: "fc", ...attributes, ...ports });
  return new Model("float", builder.build("linear", ["x"], ["y"]), {});
}

/** Where `got` is not within `tolerance` of the largest magnitude of `want`, in words. */
export function farFrom(got: Tensor, want: Float32Array, tolerance: number): string | undefined {
  if (got.data.length !== want.length) return `${got.data.length} elements, not ${want.length}`;
  const largest = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  const at = want.findIndex(
    (value, index) => !(Math.abs(Number(got.data[index]) - value) <= tolerance * largest),
  );
  return at < 0 ? undefined : `element ${at}: ${got.data[at]} for ${want[at]}`;
}
