// The same int8 file on the same inputs in Node and in Chromium, on the page, in a classic worker and in
// a module worker: integers leave no room, so every bit of the logits must agree. The core runs under a
// policy that allows neither eval nor WebAssembly.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright";
import {
  calibrate,
  compile,
  convert,
  load,
  prepare,
  requestDevice,
  save,
  tensor,
  type Device,
  type Model,
} from "../../src/node.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import { buildModules, type Built } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";
import { quantizeSample, sampleFile, sampleInput } from "../support/sampleModel.ts";
import { hasSharedData, readShared } from "../support/sharedData.ts";
import { serveFolder, type StaticServer } from "../support/staticServer.ts";
import { watch, type Watch } from "../support/watch.ts";

const POLICY =
  "default-src 'none'; script-src 'self'; connect-src 'self'; worker-src 'self'; img-src data:";
const PAGE = '<!doctype html><title>bits</title><link rel="icon" href="data:," />';
const CLASSIC = `
  const isClassic = typeof importScripts === "function" && typeof window === "undefined";
  onmessage = async ({ data }) => {
    try {
      const { logitsOf } = await import("/harness.js");
      postMessage({ isClassic, logits: await logitsOf(...data) });
    } catch (error) {
      postMessage({ isClassic, logits: [String(error)] });
    }
  };`;
const SHAPE = [10, 3, 48, 48];
const hasMobileNet = hasSharedData("models/mobilenetv2-float.onnx", "MobileNetV2 in Chromium");

let built: Built;
let server: StaticServer;
let browser: Browser;
let page: Page;
let seen: Watch;
let device: Device;
let inNode: string[];

const bytesOf = (values: Float32Array): Uint8Array =>
  new Uint8Array(values.buffer, values.byteOffset, values.byteLength);

async function logitsInNode(file: Uint8Array, input: Float32Array, shape: readonly number[]) {
  const model = (await load(file)) as Model<"quantized">;
  using session = await compile(model, device);
  const [name = ""] = Object.keys(model.inputs);
  const logits: string[] = [];
  for (let run = 0; run < 2; run++) {
    const outputs = await session.run({ [name]: tensor("float32", shape, input) });
    logits.push(
      Buffer.from(bytesOf(Object.values(outputs)[0]!.data as Float32Array)).toString("hex"),
    );
  }
  return logits;
}

/** A function of the harness, called in the page. As text, or the test runner would rewrite import(). */
function inPage<T>(name: string, ...args: readonly unknown[]): Promise<T> {
  const list = args.map((arg) => JSON.stringify(arg)).join(", ");
  return page.evaluate(`import("/harness.js").then((harness) => harness.${name}(${list}))`);
}

beforeAll(async () => {
  built = await buildModules({
    harness: "test/browser/harness/harness.ts",
    worker: "src/worker.ts",
  });
  server = await serveFolder(built.folder, POLICY);
  server.memory.set("index.html", PAGE);
  server.memory.set("classic.js", CLASSIC);
  device = await requestDevice();
  const { file } = await quantizeSample(device);
  server.memory.set("float.onnx", sampleFile());
  server.memory.set("sample.onnx", file);
  server.memory.set("sample.f32", bytesOf(sampleInput(10)));
  inNode = await logitsInNode(file, sampleInput(10), SHAPE);
  browser = await launchChromium();
  page = await browser.newPage();
  seen = watch(page);
  await page.goto(server.origin);
});

afterAll(async () => {
  await browser?.close();
  device?.dispose();
  await server?.[Symbol.asyncDispose]();
  await built?.[Symbol.asyncDispose]();
});

describe("Node and Chromium give bit-identical int8 logits", () => {
  it("of the sample, in the page, twice in each", async () => {
    const inChromium = await inPage<string[]>("logitsOf", "sample", SHAPE, 2);
    expect(inNode[0]).toHaveLength(10 * 10 * 4 * 2); // pictures, classes, bytes, hex digits
    expect(new Set([...inNode, ...inChromium]).size).toBe(1);
  });

  it("of the sample, in a classic worker, which has no window", async () => {
    const answer = await page.evaluate<{ isClassic: boolean; logits: string[] }>(
      `new Promise((resolve, reject) => {
        const worker = new Worker("/classic.js");
        worker.onmessage = ({ data }) => (worker.terminate(), resolve(data));
        worker.onerror = ({ message }) => reject(new Error(message));
        worker.postMessage(["sample", ${JSON.stringify(SHAPE)}, 2]);
      })`,
    );
    expect(answer).toEqual({ isClassic: true, logits: inNode });
  });

  it.runIf(hasMobileNet)("of MobileNetV2, quantized in Node, twice in each", async () => {
    const { shape, data } = parseNpy(readShared("refs/mobilenetv2-float.input.npy"));
    const size = shape.slice(1).reduce((product, dim) => product * dim, 1);
    const first = (count: number) =>
      tensor("float32", [count, ...shape.slice(1)], (data as Float32Array).slice(0, count * size));
    const model = (await load(readShared("models/mobilenetv2-float.onnx"))) as Model<"float">;
    const options = { device, biasCorrection: false } as const; // any int8 file will do: this one is quick
    const calibrated = await calibrate(prepare(model), [{ input: first(4) }], options);
    const file = save(convert(calibrated));
    const two = first(2);
    server.memory.set("mobilenet.onnx", file);
    server.memory.set("mobilenet.f32", bytesOf(two.data));
    const wanted = await logitsInNode(file, two.data, two.shape);
    const inChromium = await inPage<string[]>("logitsOf", "mobilenet", two.shape, 2);
    expect(wanted[0]!.length).toBeGreaterThan(2 * 1000 * 4 * 2); // pictures, classes, bytes, hex digits
    expect(new Set([...wanted, ...inChromium]).size).toBe(1);
  });
});

it.runIf(hasMobileNet)(
  "Chromium gives float MobileNetV2 the reference's logits within 1e-3 of the greatest",
  async () => {
    const { shape, data } = parseNpy(readShared("refs/mobilenetv2-float.input.npy"));
    const want = parseNpy(readShared("refs/mobilenetv2-float.logits.npy")).data as Float32Array;
    server.memory.set("mobilenet-float.onnx", readShared("models/mobilenetv2-float.onnx"));
    server.memory.set("mobilenet-float.f32", bytesOf(data as Float32Array));
    const [hex = ""] = await inPage<string[]>("logitsOf", "mobilenet-float", shape, 1);
    const got = new Float32Array(new Uint8Array(Buffer.from(hex, "hex")).buffer);
    const most = want.reduce((greatest, value) => Math.max(greatest, Math.abs(value)), 0);
    const worst = want.reduce((error, value, i) => Math.max(error, Math.abs(value - got[i]!)), 0);
    console.log(
      `float logits in Chromium: worst relative difference ${(worst / most).toExponential(2)}`,
    );
    expect(got.length).toBe(want.length);
    expect(worst / most).toBeLessThan(1e-3); // sums in another order differ by about 1e-6
  },
);

interface WorkerRun {
  readonly aborted: readonly object[];
  readonly memory: object;
  readonly phases: string[];
  readonly last: object;
  readonly file: string;
  readonly evaluation: { readonly count: number; readonly agreement: number };
}

describe("a module worker", () => {
  it("that is aborted in any phase holds no buffer, and does the next job", async () => {
    const none = { buffers: 0, bytes: 0 };
    const phases = ["calibrate", "correct biases", "evaluate", "compare layers"];
    const run = await inPage<WorkerRun>("abortThenQuantize", phases);
    expect(run.aborted).toEqual(
      phases.map((phase) => ({ phase, name: "AbortError", memory: none })),
    );
    expect(run.memory).toEqual(none);
    expect(run.phases).toEqual(phases);
    expect(run.last).toEqual({ phase: "compare layers", phases, done: 20, total: 20 });
    const model = await load(new Uint8Array(Buffer.from(run.file, "hex")));
    expect(model.stage).toBe("quantized");
    expect(run.evaluation.count).toBe(20);
    expect(run.evaluation.agreement).toBeGreaterThanOrEqual(90); // two of 20 may differ
  });

  it("answers a broken file with the library's own error", async () => {
    expect(await inPage("quantizeRubbish")).toMatchInlineSnapshot(`
      {
        "message": "file: must be a model that this library reads; got bytes that begin 01 02 03 04 05 06 07 08. Pass a model: .onnx, TorchScript .pt, or weights as .pth or .safetensors.",
        "name": "FormatError",
      }
    `);
  });

  it("leaves nothing on the console and asks no other origin", () => {
    expect(seen.errors).toEqual([]);
    expect([...seen.origins]).toEqual([server.origin]);
  });

  it("whose script is missing rejects with the way out", async () => {
    expect(await inPage("missingWorker")).toMatchInlineSnapshot(`
      {
        "message": "worker: it stopped; its script could not be loaded. Reload the page, and check that the worker's file is served.",
        "name": "WorkerError",
      }
    `);
  });
});
