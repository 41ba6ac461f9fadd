// Every case of ../shared/cases is right, or refused with words that a user can act on: loaded, run on the device,
// compared with ONNX Runtime's outputs, quantized both ways, saved, and the files run in ONNX Runtime. A table of all
// is printed at the end.

import * as ort from "onnxruntime-web";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  calibrate,
  compile,
  convert,
  inspect,
  load,
  prepare,
  quantizeDynamic,
  save,
  UnsupportedError,
  WebGpuQuantError,
  type Device,
  type Model,
  type Tensor,
  type Tensors,
} from "../../src/node.ts";
import { ONNX_LIMITS } from "../../src/formats/onnx/limits.ts";
import { DataType } from "../../src/formats/onnx/proto.ts";
import { readModel } from "../../src/formats/onnx/read.ts";
import { elementsOf } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import {
  caseNames,
  INTEGERS,
  LATER,
  LEAST_SQNR,
  PENDING,
  readCase,
  SHARED,
  SIZES,
  STATIC_INTEGERS,
  type Aspect,
  type Case,
} from "./cases.ts";

type Loaded = Model<"float"> | Model<"quantized">;

const names = caseNames();
const rows: string[][] = [];
let device: Device;

beforeAll(async () => {
  ort.env.wasm.numThreads = 1;
  ort.env.logLevel = "error";
  device = await testDevice();
});

afterAll(() => {
  device.dispose();
  if (rows.length === 0) return;
  const table = [["case", "verdict", "expected", "got"], ...rows];
  const widths = [0, 1, 2, 3].map((at) => Math.max(...table.map((row) => row[at]!.length)));
  const lines = table.map((row) => row.map((cell, at) => cell.padEnd(widths[at]!)).join("  "));
  console.log(`\n${lines.map((line) => line.trimEnd()).join("\n")}\n`);
});

/** The greatest difference, as a share of the greatest wanted value; Infinity for another shape. */
function distance(got: Tensors, want: Tensors): number {
  let worst = 0;
  for (const [name, { shape, data }] of Object.entries(want)) {
    const mine = got[name];
    if (mine === undefined || String(mine.shape) !== String(shape)) return Infinity;
    const [a, b] = [elementsOf(mine), elementsOf(want[name]!)];
    let [most, difference] = [1e-30, 0];
    for (let at = 0; at < data.length; at++) {
      if (Object.is(a[at], b[at])) continue;
      most = Math.max(most, Math.abs(b[at]!));
      difference = Math.max(difference, Math.abs(a[at]! - b[at]!));
    }
    if (Number.isNaN(difference)) return Infinity;
    worst = Math.max(worst, difference / most);
  }
  return worst;
}

/** Sums of floats in another order; a code or two where an integer output falls on a tie; a float16 output is
 *  rounded there, and not here. */
const toleranceOf = ({ stage }: Model<"float" | "quantized">, want: readonly Tensors[] = []) => {
  const halves = want.some((outputs) => Object.values(outputs).some((o) => o.dtype === "float16"));
  return stage === "quantized" ? 0.02 : halves ? 2e-3 : 1e-4;
};

const worstOf = (got: readonly Tensors[], want: readonly Tensors[]) =>
  Math.max(0, ...got.map((outputs, at) => distance(outputs, want[at]!)));

async function runOurs(
  model: Model<"float" | "quantized">,
  samples: readonly Tensors[],
): Promise<Tensors[]> {
  using session = await compile(model, device);
  const outputs: Tensors[] = [];
  for (const sample of samples) outputs.push(await session.run(sample));
  return outputs;
}

async function runOrt(file: Uint8Array, samples: readonly Tensors[]): Promise<Tensors[]> {
  const session = await ort.InferenceSession.create(file);
  try {
    const outputs: Tensors[] = [];
    for (const sample of samples) {
      const feeds = Object.entries(sample).map(([name, { dtype, data, shape }]) => [
        name,
        new ort.Tensor(dtype as "float32", data as Float32Array, [...shape]),
      ]);
      const results = await session.run(
        Object.fromEntries(feeds) as ort.InferenceSession.FeedsType,
      );
      const named = Object.entries(results).map(([name, { type, dims, data }]) => [
        name,
        { dtype: type, shape: dims, data } as unknown as Tensor,
      ]);
      outputs.push(Object.fromEntries(named) as Tensors);
    }
    return outputs;
  } finally {
    await session.release();
  }
}

/** Signal-to-quantization-noise ratio in dB, over all floats of all outputs. */
function sqnr(got: readonly Tensors[], want: readonly Tensors[]): number {
  let [signal, noise] = [1e-30, 1e-30];
  want.forEach((outputs, at) => {
    for (const [name, tensor] of Object.entries(outputs)) {
      const [a, b] = [elementsOf(got[at]![name]!), elementsOf(tensor)];
      for (let index = 0; index < b.length; index++) {
        if (!Number.isFinite(b[index])) continue;
        signal += b[index]! ** 2;
        noise += (a[index]! - b[index]!) ** 2;
      }
    }
  });
  return 10 * Math.log10(signal / noise);
}

interface Checked {
  readonly file: Uint8Array;
  readonly outputs: readonly Tensors[];
}

/** The file of `model`; throws unless it gives in ONNX Runtime what `model` gives here. */
async function checkFile(
  model: Model<"float" | "quantized">,
  samples: readonly Tensors[],
): Promise<Checked> {
  const file = save(model);
  const [outputs, theirs] = [await runOurs(model, samples), await runOrt(file, samples)];
  expect(worstOf(theirs, outputs), "ONNX Runtime's numbers of the saved file").toBeLessThan(
    toleranceOf(model),
  );
  return { file, outputs };
}

/** Throws where the file is larger than the case allows, or holds a shared weight several times. */
function checkSize({ name, bytes }: Case, file: Uint8Array): string {
  const ratio = file.length / bytes.length;
  const most = SIZES.get(name);
  if (most !== undefined) expect(ratio, "size of the file").toBeLessThan(most);
  if (SHARED.has(name)) {
    const { initializers } = readModel(file, ONNX_LIMITS).graph;
    const weights = initializers.filter(
      ({ dataType, dims }) =>
        (dataType === DataType.INT8 || dataType === DataType.UINT8) && dims.length > 1,
    );
    expect(weights.length, "weights of 8 bits").toBe(1);
  }
  return `file ${(100 * ratio).toFixed(0)} %`;
}

const NOTHING = /^(?:prepare|quantizeDynamic): there must be something to quantize;/;

const firstLine = (error: unknown) =>
  error instanceof Error ? error.message.split("\n").slice(0, 2).join(" ") : String(error);

/** A refusal says what to do: its last sentence is an instruction. */
const isActionable = (error: unknown): boolean =>
  error instanceof WebGpuQuantError && /(?:[.:;] |\n)[A-Z][a-z]+ [^\n]*\.$/.test(error.message);

async function checkCase(test: Case): Promise<string[]> {
  const failures = new Map<Aspect, string>();
  const right = new Set<Aspect>();
  const got: string[] = [];
  const attempt = async (aspect: Aspect, work: () => Promise<string>): Promise<void> => {
    try {
      got.push(await work());
      right.add(aspect);
    } catch (error) {
      // A model without a layer of that kind is told so; that is right, and nothing is left to check.
      if (error instanceof WebGpuQuantError && NOTHING.test(error.message)) return;
      failures.set(aspect, `${aspect}: ${firstLine(error)}`);
    }
  };
  const inputs = test.samples.map((sample) => sample.inputs);
  let model: Loaded | undefined;
  await attempt("run", async () => {
    model = await load(test.bytes);
    const outputs = await runOurs(model, inputs);
    const want = test.samples.map((sample) => sample.outputs);
    const tolerance = toleranceOf(model, want);
    if (model.stage === "quantized" && worstOf(outputs, want) > tolerance) {
      // Integer kernels of the CPU that wrote the .npz may saturate sums of two products; those of wasm do not.
      want.splice(0, want.length, ...(await runOrt(test.bytes, inputs)));
    }
    expect(worstOf(outputs, want), "difference to ONNX Runtime").toBeLessThan(tolerance);
    return "right";
  });
  if (model !== undefined) await checkUses(model, test, inputs, attempt);
  const pending = PENDING.get(test.name) ?? [];
  const wrong = [...failures].flatMap(([aspect, words]) =>
    pending.includes(aspect) ? [] : [words],
  );
  const mended = pending.filter((aspect) => right.has(aspect));
  const verdict =
    wrong.length > 0
      ? "FAILS"
      : mended.length > 0
        ? `remove from PENDING: ${mended.join(", ")}`
        : failures.size > 0
          ? `pending: ${[...failures.keys()].join(", ")}`
          : "ok";
  const told = [...got.filter((words) => words !== ""), ...failures.values()].join("; ");
  rows.push([test.name, verdict, "right", told.slice(0, 240)]);
  return [...wrong, ...mended.map((aspect) => `${aspect} is mended: remove it from PENDING`)];
}

async function checkUses(
  model: Loaded,
  test: Case,
  inputs: readonly Tensors[],
  attempt: (aspect: Aspect, work: () => Promise<string>) => Promise<void>,
): Promise<void> {
  const { name } = test;
  const share = (of: Model<"float" | "quantized">) => inspect(of).integerMacShare;
  if (model.stage === "quantized" && INTEGERS.has(name)) {
    await attempt("integers", async () => {
      expect(share(model), "share in integers").toBe(1);
      expect(share(await load(save(model))), "share in integers of the file").toBe(1);
      return "100 % integers";
    });
  }
  let saved: Checked | undefined;
  await attempt("save", async () => {
    saved = await checkFile(model, inputs);
    return "saved";
  });
  if (model.stage === "quantized") {
    if (saved) await attempt("size", async () => checkSize(test, saved!.file));
    return;
  }
  let quantized: Checked | undefined;
  await attempt("static", async () => {
    const converted = convert(await calibrate(prepare(model), [...inputs], { device }));
    if (STATIC_INTEGERS.has(name)) expect(share(converted), "share in integers").toBe(1);
    quantized = await checkFile(converted, inputs);
    return `static ${(100 * share(converted)).toFixed(0)} % integers`;
  });
  if (quantized) {
    await attempt("size", async () => checkSize(test, quantized!.file));
    await attempt("accuracy", async () => {
      const ratio = sqnr(quantized!.outputs, await runOurs(model, inputs));
      expect(ratio, "dB of the int8 model").toBeGreaterThan(LEAST_SQNR);
      return `${ratio.toFixed(1)} dB`;
    });
  }
  await attempt("dynamic", async () => {
    const dynamic = quantizeDynamic(model);
    if (dynamic.graph.nodes.every((node) => !("dynamic" in node) || !node.dynamic)) return "";
    await checkFile(dynamic, inputs);
    return "dynamic";
  });
}

describe.skipIf(names.length === 0)("cases", () => {
  it.each(names.filter((name) => !LATER.has(name)))("%s", async (name) => {
    expect(await checkCase(readCase(name))).toEqual([]);
  });

  it.each(names.filter((name) => LATER.has(name)))("%s waits for an op", async (name) => {
    const ops = LATER.get(name) ?? [];
    const error: unknown = await load(readCase(name).bytes).catch((caught: unknown) => caught);
    const refused = error instanceof UnsupportedError ? error.nodes.map(({ op }) => op) : [];
    const isNamed = ops.every((op) => refused.includes(op)) && isActionable(error);
    const verdict = isNamed ? `later: needs ${ops.join(", ")}` : "FAILS";
    rows.push([name, verdict, "refused", firstLine(error).slice(0, 160)]);
    expect(error, "loads now: remove it from LATER").toBeInstanceOf(UnsupportedError);
    expect(refused).toEqual(expect.arrayContaining([...ops]));
    expect(isActionable(error), "the last sentence says what to do").toBe(true);
  });
});
