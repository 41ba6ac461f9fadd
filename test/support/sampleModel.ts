// The repository's sample as a job: its float network, its pictures, and its int8 file made in Node.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { samplePicture, type Split } from "../../demo/sample/pictures.ts";
import type { Device } from "../../src/gpu/device.ts";
import { runJob, type JobResult, type QuantizeJob } from "../../src/job.ts";
import type { JobPicture } from "../../src/jobPictures.ts";
import { preprocess, presets } from "../../src/pictures.ts";

const spec = { ...presets.tf, resize: 48 };

export function sampleFile(): Uint8Array {
  return new Uint8Array(readFileSync(join(import.meta.dirname, "../../demo/sample/model.onnx")));
}

export function samplePictures(split: Split, count: number): JobPicture[] {
  return Array.from({ length: count }, (_, index) => {
    const { label, ...source } = samplePicture(index, split);
    return { name: `${split} ${index}`, source, label };
  });
}

/** A small job, to end in seconds on a software adapter. */
export function sampleJob(): QuantizeJob {
  return {
    model: sampleFile(),
    calibration: samplePictures("calibration", 20),
    evaluation: samplePictures("test", 20),
    preprocess: spec,
    batch: 10,
  };
}

export function quantizeSample(device: Device): Promise<JobResult> {
  return runJob(sampleJob(), { device });
}

/** Pictures as the network takes them, (count, 3, 48, 48). */
export function sampleInput(count: number): Float32Array {
  const size = 3 * 48 * 48;
  const data = new Float32Array(count * size);
  for (let index = 0; index < count; index++) {
    const picture = samplePicture(index, "test");
    data.set(preprocess(picture, spec, { height: 48, width: 48 }).data, index * size);
  }
  return data;
}
