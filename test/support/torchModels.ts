// torchvision's architectures with seeded weights, as test/fixtures/make_models.py makes them: the same
// numbers by the same names, so that fixtures hold PyTorch's results alone.

import { readFileSync } from "node:fs";
import type { StateDict, StateEntry } from "../../src/formats/torch/stateDict.ts";
import { buildModel, parametersOf, type ArchitectureName } from "../../src/models/architectures.ts";
import type { Engine } from "../../src/graph/node.ts";
import { foldBatchNorms } from "../../src/quantize/fuse.ts";
import { quantizeWeight } from "../../src/quantize/weights.ts";
import { float32, sizeOf, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import { floatOf } from "../null/quantize/seeded.ts";

const fl = Math.fround;

/** Results of one engine: parameters of the activations, a checksum of the int8 weights, sampled codes. */
interface EngineResults {
  readonly activations: Readonly<Record<string, string>>;
  readonly weights: number;
  readonly logits: string;
  readonly codes: Readonly<Record<string, string>>;
}

export interface TorchResults extends Readonly<Record<Engine, EngineResults>> {
  readonly size: number;
  readonly quiet: string | null;
  readonly float: string;
  /** "min:max" of each observer of a quantization-aware training, and what convert makes of it. */
  readonly qat?: {
    readonly observers: Readonly<Record<string, string>>;
    readonly weights: number;
    readonly logits: string;
  };
}

export function torchResults(name: string): TorchResults {
  const file = new URL(`../fixtures/models/${name}.json`, import.meta.url);
  return JSON.parse(readFileSync(file, "utf8")) as TorchResults;
}

export const floatsOf = (hexes: string) => Float32Array.from(hexes.split(" "), floatOf);

/** FNV-1a of UTF-8 bytes. */
function fnv(text: string): number {
  let state = 2166136261;
  for (const byte of new TextEncoder().encode(text)) state = Math.imul(state ^ byte, 16777619);
  return state >>> 0;
}

/** f32 in [−1, 1): element i is murmur's finalizer of i, keyed by `name`. */
export function counted(name: string, length: number): Float32Array {
  const key = fnv(name);
  const values = new Float32Array(length);
  for (let i = 0; i < length; i++) {
    let x = (Math.imul(i, 0x9e3779b9) + key) | 0;
    x = Math.imul(x ^ (x >>> 16), 0x85ebca6b);
    x = Math.imul(x ^ (x >>> 13), 0xc2b2ae35);
    x ^= x >>> 16;
    values[i] = ((x >>> 8) - 8388608) / 8388608;
  }
  return values;
}

/** The value of parameter `name`, as seeded.py's `parameter`. */
function parameter(name: string, shape: readonly number[], quiet: RegExp | undefined) {
  const u = counted(name, sizeOf(shape));
  if (shape.length > 1) {
    const bound = fl(Math.sqrt(6 / sizeOf(shape.slice(1))));
    return float32(
      shape,
      u.map((value) => value * bound),
    );
  }
  if (!name.endsWith("running_var") && !name.endsWith(".weight")) {
    const tenth = fl(0.1);
    return float32(
      shape,
      u.map((value) => value * tenth),
    );
  }
  const part = fl(0.4);
  const isQuiet = name.endsWith(".weight") && quiet?.test(name) === true;
  return float32(
    shape,
    u.map((value) => fl(1 + fl(value * part)) * (isQuiet ? 0.25 : 1)),
  );
}

export function seededImages(size: number, count = 1): Tensor<"float32"> {
  const values = counted("images", count * 3 * size * size);
  return float32(
    [count, 3, size, size],
    values.map((value) => value * 2),
  );
}

/** The fixtures' networks tell 10 classes apart. */
const CLASSES = 10;

export function seededState(name: ArchitectureName, { size, quiet }: TorchResults): StateDict {
  const pattern = quiet === null ? undefined : new RegExp(quiet);
  return new Map(
    [...parametersOf(name, { size })].map(([key, shape]) => {
      const narrow = shape.map((dim, axis) => (axis === 0 && dim === 1000 ? CLASSES : dim));
      return [key, { tensor: parameter(key, narrow, pattern) }];
    }),
  );
}

/** What PyTorch's prepare → convert leaves of the same weights: docs/quantization.md (21), (10), (2). */
export function quantizedState(
  name: ArchitectureName,
  results: TorchResults,
  backend: Engine,
): StateDict {
  const float = buildModel(name, seededState(name, results), { size: results.size });
  const folded = foldBatchNorms(float);
  const state = new Map<string, StateEntry>();
  for (const node of folded.nodes) {
    if (node.op !== "Conv" && node.op !== "Gemm") continue;
    const [, weight = "", bias = ""] = node.inputs;
    const filter = folded.constants.get(weight) as Tensor<"float32">;
    const { data, quant } = quantizeWeight(node, filter, undefined, 1, {
      dtype: "int8",
      scheme: "symmetric",
      granularity: backend === "fbgemm" ? { perAxis: 0 } : "perTensor",
      observer: { kind: "minMax" },
    });
    state.set(`${node.name}.weight`, { tensor: data, quant });
    state.set(`${node.name}.bias`, { tensor: folded.constants.get(bias)! });
  }
  for (const [key, pair] of Object.entries(results[backend].activations)) {
    const [scale = "", zero = ""] = pair.split(":");
    state.set(`${key}.scale`, { tensor: float32([], [floatOf(scale)]) });
    const zeroPoint = tensor("int64", [], BigInt64Array.of(BigInt(zero)));
    state.set(`${key}.zero_point`, { tensor: zeroPoint });
  }
  return state;
}

/** Σ (q + 1000) · (2i + 1) of each int8 weight, added up, modulo 2³². */
export function weightChecksum(state: StateDict): number {
  let total = 0;
  for (const { tensor: value, quant } of state.values()) {
    if (quant === undefined) continue;
    (value.data as Int8Array).forEach((q, i) => {
      total = (total + Math.imul(q + 1000, 2 * i + 1)) | 0;
    });
  }
  return total >>> 0;
}

/** The codes at the places that make_models.py sampled. */
export function sampleCodes(values: ArrayLike<number | bigint>, count: number): number[] {
  const most = Math.min(count, values.length);
  return Array.from({ length: most }, (_, k) =>
    Number(values[Math.floor((k * values.length) / most)]),
  );
}

export const decodeCodes = (text: string) => [...Buffer.from(text, "base64")];

/** Architectures with a fixture. */
export const fixtureNames: readonly ArchitectureName[] = [
  "mobilenet_v2",
  "mobilenet_v3_large",
  "resnet18",
  "resnet50",
  "resnext101_32x8d",
  "inception_v3",
  "googlenet",
  "shufflenet_v2_x0_5",
  "shufflenet_v2_x1_0",
  "shufflenet_v2_x1_5",
  "shufflenet_v2_x2_0",
];

/** The checkpoint of a quantization-aware training with the seeded weights, by torch's names. */
export function qatState(name: ArchitectureName, results: TorchResults): StateDict {
  const seeded = seededState(name, results);
  const graph = buildModel(name, seeded, { size: results.size });
  const state = new Map<string, StateEntry>();
  const norms = new Map(
    graph.nodes.flatMap((node) =>
      node.op === "BatchNormalization" ? [[node.inputs[0]!, node.name] as const] : [],
    ),
  );
  for (const node of graph.nodes) {
    if (node.op !== "Conv" && node.op !== "Gemm") continue;
    state.set(`${node.name}.weight`, seeded.get(`${node.name}.weight`)!);
    const bias = seeded.get(`${node.name}.bias`);
    if (bias) state.set(`${node.name}.bias`, bias);
    state.set(`${node.name}.weight_fake_quant.scale`, { tensor: float32([1], [1]) });
    const norm = norms.get(node.outputs[0]!);
    for (const field of norm ? ["weight", "bias", "running_mean", "running_var"] : []) {
      state.set(`${node.name}.bn.${field}`, seeded.get(`${norm}.${field}`)!);
    }
  }
  for (const [key, pair] of Object.entries(results.qat!.observers)) {
    const [min = "", max = ""] = pair.split(":");
    const observer = `${key}.activation_post_process`;
    state.set(`${observer}.min_val`, { tensor: float32([], [floatOf(min)]) });
    state.set(`${observer}.max_val`, { tensor: float32([], [floatOf(max)]) });
  }
  return state;
}
