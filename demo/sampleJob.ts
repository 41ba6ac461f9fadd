// The jobs that need no file of the visitor's: the repository's sample network, quantized or trained on pictures
// that are drawn here, in slices so that the page stays awake.

import { presets } from "../src/pictures/preprocessSpec.ts";
import type { JobPicture } from "../src/jobPictures.ts";
import type { TrainJob } from "../src/trainJob.ts";
import { byId, element } from "./dom.ts";
import type { NamedJob } from "./ownJob.ts";
import modelUrl from "./sample/model.onnx?url";
import { classNames, samplePicture, type Split } from "./sample/pictures.ts";

// As many as `npm start` takes (src/cli/start.ts), for the same figures.
const CALIBRATION = 128; // pictures
const EVALUATION = 500; // pictures
const BATCH = 10; // pictures at a time
const SLICE = 20; // pictures drawn between two breaks, some 10 ms

const preprocess = { ...presets.tf, resize: 48 };

async function sampleModel(signal: AbortSignal): Promise<Uint8Array> {
  const response = await fetch(modelUrl, { signal });
  if (!response.ok) throw new Error(`The sample's model did not load: HTTP ${response.status}.`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function sampleJob(signal: AbortSignal): Promise<NamedJob> {
  const model = await sampleModel(signal);
  const calibration = await draw("calibration", CALIBRATION, signal);
  const evaluation = await draw("test", EVALUATION, signal);
  return {
    name: "sample",
    job: { model, calibration, evaluation, preprocess, batch: BATCH },
  };
}

/** What the visitor may choose of a training. */
export type TrainSettings = Required<
  Pick<TrainJob, "epochs" | "batch" | "learningRate" | "bits" | "perTensor">
> & { readonly pictures: number; readonly heldOut: number };

export async function sampleTraining(
  { pictures, heldOut, ...settings }: TrainSettings,
  signal: AbortSignal,
): Promise<Omit<TrainJob, "checkpoint" | "resume">> {
  const model = await sampleModel(signal);
  const training = await draw("train", pictures, signal);
  const calibration = await draw("calibration", Math.min(CALIBRATION, pictures), signal);
  const evaluation = await draw("test", heldOut, signal);
  return { model, training, calibration, evaluation, preprocess, ...settings };
}

async function draw(split: Split, count: number, signal: AbortSignal): Promise<JobPicture[]> {
  const pictures: JobPicture[] = [];
  for (let index = 0; index < count; index++) {
    if (index % SLICE === 0) await new Promise((resolve) => setTimeout(resolve));
    signal.throwIfAborted();
    const { label, ...source } = samplePicture(index, split);
    pictures.push({ name: `${split} ${index}`, source, label });
  }
  return pictures;
}

/** Describe the sample and show one picture of each class. */
export function showSample(): void {
  byId("sample-text").textContent =
    `A small MobileNetV2 that tells ${classNames.length} shapes apart. ${CALIBRATION} pictures calibrate ` +
    `it, ${EVALUATION} others compare int8 with float32.`;
  const items = classNames.map((_, index) => {
    const { label, width, height, data } = samplePicture(index, "test");
    const canvas = element("canvas", { width, height });
    canvas.setAttribute("aria-hidden", "true");
    const pixels = new ImageData(width, height);
    for (let from = 0, to = 0; from < data.length; from += 3, to += 4) {
      pixels.data.set(data.subarray(from, from + 3), to);
      pixels.data[to + 3] = 255;
    }
    canvas.getContext("2d")?.putImageData(pixels, 0, 0);
    return element("li", {}, canvas, classNames[label] ?? "");
  });
  byId("sample-pictures").replaceChildren(...items);
}
