// runJob on a model that is quantized already: it runs as it is, with and without pictures. What it does
// to a float one is in test/browser, in the page and its worker.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runJob, type JobProgress, type QuantizeJob } from "../../src/job.ts";
import { argmax } from "../../src/metrics.ts";
import { compile, load, Model, requestDevice, save, type Device } from "../../src/node.ts";
import { preprocess, presets } from "../../src/pictures.ts";
import { float32 } from "../../src/tensor/tensor.ts";
import { fixture } from "../null/formats/torch/support.ts";
import { sampleFile, samplePictures } from "../support/sampleModel.ts";

let device: Device;
beforeAll(async () => void (device = await requestDevice()));
afterAll(() => device.dispose());

const name = "quantized.traced.pt";
const none = { buffers: 0, bytes: 0 };
const job = (changes: Partial<QuantizeJob> = {}): QuantizeJob => ({
  model: fixture(name),
  evaluation: [],
  preprocess: presets.imagenet,
  ...changes,
});

describe("a quantized TorchScript model", () => {
  it("is described and saved without pictures, as the graph that load gives", async () => {
    const seen: JobProgress[] = [];
    const onProgress = (progress: JobProgress) => seen.push(progress);
    const result = await runJob(job(), { device, onProgress });
    expect(seen).toEqual([]);
    expect(result).toMatchObject({ stage: "quantized", isLabelled: false, predictions: [] });
    expect(result).not.toHaveProperty("evaluation");
    expect(result).not.toHaveProperty("quantization");
    expect(result.bytesGiven).toBe(fixture(name).length);
    expect(result.inspection.integerMacShare).toBe(1);
    expect(result.file).toEqual(save((await load(fixture(name))) as Model<"quantized">));
  });

  it("runs every picture once, in its own integers, and calibrates on none", async () => {
    const evaluation = samplePictures("test", 17).map(({ name, source }) => ({ name, source }));
    const seen: JobProgress[] = [];
    const calibration = samplePictures("calibration", 3);
    const result = await runJob(job({ evaluation, calibration }), {
      device,
      onProgress: (progress) => seen.push(progress),
    });
    expect(seen.at(-1)).toEqual({
      phase: "evaluate",
      phases: ["evaluate"],
      done: 17,
      total: 17,
    });
    expect(seen).toHaveLength(17); // an archive without a known size takes one picture at a time
    expect(result.evaluation?.count).toBe(17);
    expect(result.evaluation).not.toHaveProperty("agreement");
    const model = (await load(fixture(name))) as Model<"quantized">;
    const [input = ""] = model.graph.inputs;
    const size = { height: 224, width: 224 };
    using session = await compile(model, device);
    for (const [index, { source }] of evaluation.entries()) {
      if (source instanceof Blob) throw new Error("samples are pixels");
      const { data } = preprocess(source, presets.imagenet, size);
      const out = await session.run({ [input]: float32([1, 3, 224, 224], data) });
      const logits = out["output"]!.data as Float32Array;
      const best = argmax(logits);
      expect(result.predictions[index]).toEqual({
        picture: evaluation[index]!.name,
        class: best,
        score: logits[best],
      });
    }
  });

  it("is the same from its QDQ file", async () => {
    const evaluation = samplePictures("test", 2);
    const first = await runJob(job({ evaluation }), { device });
    const again = await runJob(job({ evaluation, model: first.file }), { device });
    expect(again.predictions).toEqual(first.predictions);
    expect(again.isLabelled).toBe(true);
  });

  it("stops when it is aborted, and holds nothing", async () => {
    const controller = new AbortController();
    const evaluation = samplePictures("test", 4);
    const stopped = runJob(job({ evaluation }), {
      device,
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    const error: unknown = await stopped.catch((caught: unknown) => caught);
    expect(error).toBe(controller.signal.reason); // read after the abort
    expect(device.memory).toEqual(none);
  });
});

it("needs pictures to quantize a float model", async () => {
  await expect(
    runJob(job({ model: sampleFile() }), { device }),
  ).rejects.toThrowErrorMatchingInlineSnapshot(
    `[InputError: pictures: a float model is calibrated and measured on some; got none. Choose pictures like those it will see.]`,
  );
  expect(device.memory).toEqual(none);
});

it("takes every other of 16 pictures to calibrate on where the job names none", async () => {
  const evaluation = samplePictures("test", 16);
  const spec = { ...presets.tf, resize: 48 };
  const result = await runJob(
    job({ model: sampleFile(), evaluation, preprocess: spec, batch: 8 }),
    {
      device,
    },
  );
  expect(result.stage).toBe("float");
  expect(result.quantization?.calibrated).toBe(8);
  expect(result.predictions.map(({ picture }) => picture)).toEqual(
    evaluation.filter((_, index) => index % 2 === 1).map(({ name }) => name),
  );
  const agreed = result.predictions.filter((each) => each.class === each.floatClass).length;
  expect((100 * agreed) / 8).toBe(result.evaluation?.agreement);
});
