// The main job on a real network: MobileNetV2 and 500 ImageNet pictures (../shared/data/MANIFEST.md).
// Calibrated on every tenth class, evaluated on the other 400 pictures. `npm test` evaluates on every
// fourth of those, to end in time; `npm run figures` on all, and asserts the figures of record.

import { beforeAll, describe, expect, it } from "vitest";
import * as ort from "onnxruntime-web";
import {
  calibrate,
  compile,
  convert,
  float32,
  inspect,
  load,
  Model,
  prepare,
  requestDevice,
  save,
  type Device,
} from "../../src/node.ts";
import { median } from "../../src/metrics.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
import {
  against,
  logitsOf,
  runOrt,
  runSession,
  tensorsOf,
  top1,
  type Logits,
} from "../support/mobilenet.ts";
import { hasSharedData, imagenetSample, readShared } from "../support/sharedData.ts";

const isThere = hasSharedData("models/mobilenetv2-float.onnx", "MobileNetV2 end to end");
const full = process.env["FIGURES"] === "all";

describe.runIf(isThere)("MobileNetV2 from ONNX to int8 and back", () => {
  const pictures = isThere ? imagenetSample() : [];
  const calibration = pictures.filter(({ label }) => label % 10 === 0);
  const others = pictures.filter(({ label }) => label % 10 !== 0);
  const held = full ? others : others.filter((_, index) => index % 4 === 0);
  let device: Device;
  let model: Model<"float">;
  let calibrated: Model<"calibrated">;
  let quantized: Model<"quantized">;
  let file: Uint8Array;
  let floatLogits: Logits;
  let intLogits: Logits;

  beforeAll(async () => {
    device = await requestDevice();
    model = (await load(readShared("models/mobilenetv2-float.onnx"))) as Model<"float">;
    console.log(
      `adapter ${device.facts.description}; calibrated on ${calibration.length}, evaluated on ${held.length} ` +
        `pictures${full ? "" : " (every fourth of 400; npm run figures takes all)"}`,
    );
  });

  it("gives the reference's float logits within 1e-3 of the greatest", async () => {
    using session = await compile(model, device);
    const input = parseNpy(readShared("refs/mobilenetv2-float.input.npy"));
    const want = parseNpy(readShared("refs/mobilenetv2-float.logits.npy")).data as Float32Array;
    const got = (await session.run({ input: float32(input.shape, input.data as Float32Array) }))[
      "logits"
    ]!;
    const scale = want.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
    const worst = want.reduce(
      (most, value, i) => Math.max(most, Math.abs(value - Number(got.data[i]))),
      0,
    );
    console.log(`float logits: worst relative difference ${(worst / scale).toExponential(2)}`);
    expect(worst / scale).toBeLessThan(1e-3); // sums in another order differ by about 1e-6
  });

  it("has onnxruntime's float top-1 within one picture", async () => {
    using session = await compile(model, device);
    const times: number[] = [];
    floatLogits = await logitsOf(full ? pictures : held, runSession(session, times));
    console.log(
      `float: top-1 ${top1(held, floatLogits)} % of ${held.length}, median ${median(times).toFixed(0)} ms`,
    );
    if (!full) {
      const session = await ort.InferenceSession.create(
        readShared("models/mobilenetv2-float.onnx"),
      );
      const theirs = top1(held, await logitsOf(held, runOrt(session)));
      console.log(`float in onnxruntime-web: top-1 ${theirs} % of the same pictures`);
      expect(Math.abs(top1(held, floatLogits) - theirs)).toBeLessThanOrEqual(
        100 / held.length + 1e-9,
      ); // one picture
      return;
    }
    const all = top1(pictures, floatLogits);
    console.log(`float: top-1 ${all} % of all ${pictures.length}`);
    expect(Math.abs(all - 86.0)).toBeLessThanOrEqual(0.2 + 1e-9); // one picture of 500
  });

  it("calibrates in GPU memory that does not grow with the number of batches", async () => {
    const memory: { buffers: number; bytes: number }[] = [];
    const start = performance.now();
    calibrated = await calibrate(prepare(model), tensorsOf(calibration), {
      device,
      onProgress: ({ phase }) => phase === "observe" && memory.push({ ...device.memory }),
    });
    console.log(
      `calibration: ${((performance.now() - start) / 1000).toFixed(0)} s, ${JSON.stringify(memory.at(-1))}`,
    );
    expect(memory).toHaveLength(calibration.length);
    expect(memory.at(-1)).toEqual(memory[0]);
    expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  });

  it("converts 99 % of the multiply-accumulates and saves at most 3.9 MB", () => {
    quantized = convert(calibrated);
    file = save(quantized);
    const { integerMacShare } = inspect(quantized);
    console.log(
      `int8: ${file.length} bytes, ${(100 * integerMacShare).toFixed(2)} % of MACs in integers`,
    );
    expect(integerMacShare).toBeGreaterThanOrEqual(0.99);
    expect(file.length).toBeLessThanOrEqual(3_900_000);
  });

  it("stays within a point of the float model, agrees on 96.5 % and keeps 18 dB", async () => {
    using session = await compile(quantized, device);
    const times: number[] = [];
    intLogits = await logitsOf(held, runSession(session, times));
    const figures = against(held, floatLogits, intLogits);
    const [before, after] = [top1(held, floatLogits), top1(held, intLogits)];
    console.log(
      `int8: top-1 ${before} → ${after} %, agreement ${figures.agreement} %, ` +
        `${figures.sqnrDb.toFixed(2)} dB, median ${median(times).toFixed(0)} ms`,
    );
    expect(figures.sqnrDb).toBeGreaterThanOrEqual(18);
    expect(figures.agreement).toBeGreaterThanOrEqual(full ? 96.5 : 95); // one picture of 100 is a point
    expect(before - after).toBeLessThanOrEqual(full ? 1 : 2);
  });

  if (!full && isThere) console.log("MobileNetV2 without bias correction: FIGURES=all");
  it.runIf(full)("without bias correction reaches ONNX Runtime's figures", async () => {
    const { calibration: found, ...rest } = calibrated.details;
    const plain = new Model("calibrated", calibrated.graph, {
      ...rest,
      calibration: { ...found, biasCorrection: new Map() },
    });
    using session = await compile(convert(plain), device);
    const logits = await logitsOf(held, runSession(session));
    const figures = against(held, floatLogits, logits);
    console.log(
      `no correction: top-1 ${top1(held, logits)} %, agreement ${figures.agreement} %, ${figures.sqnrDb.toFixed(2)} dB`,
    );
    // ONNX Runtime's: 87.25 → 85.5 %, 94.0 %, 12.1 dB of all 400.
    expect(top1(held, floatLogits) - top1(held, logits)).toBeLessThanOrEqual(1.75);
    expect(figures.agreement).toBeGreaterThanOrEqual(94.0);
    expect(figures.sqnrDb).toBeGreaterThanOrEqual(12.1);
  });

  it("gives the same logits twice, and from the saved file", async () => {
    const again = (await load(file)) as Model<"quantized">;
    expect(again.stage).toBe("quantized");
    using session = await compile(again, device);
    const few = held.slice(0, 3);
    const logits = await logitsOf(few, runSession(session));
    for (const { name } of few) expect(logits.get(name)).toEqual(intLogits.get(name));
    const twice = await logitsOf(few, runSession(session));
    expect(twice).toEqual(logits);
  });

  it("runs in onnxruntime-web with our top-1 within 0.6 points and 25 dB", async () => {
    const session = await ort.InferenceSession.create(file);
    const logits = await logitsOf(held, runOrt(session));
    const figures = against(held, intLogits, logits);
    const [ours, theirs] = [top1(held, intLogits), top1(held, logits)];
    console.log(
      `onnxruntime-web: top-1 ${theirs} % (ours ${ours}), agreement ${figures.agreement} %, ${figures.sqnrDb.toFixed(2)} dB`,
    );
    expect(Math.abs(ours - theirs)).toBeLessThanOrEqual(full ? 0.6 : 1); // one picture of 100 is a point
    expect(figures.sqnrDb).toBeGreaterThanOrEqual(25);
  });
});
