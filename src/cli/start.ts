// `npm start`: the main job on the sample that the repository ships, from float file to int8 file, and a
// table of what it cost. Built to dist/start.js, which scripts/start.mjs runs; not part of the package.

import { mkdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { classNames, samplePicture, type Split } from "../../demo/sample/pictures.ts";
import { runJob, type JobResult } from "../job.ts";
import type { JobPicture } from "../jobPictures.ts";
import { requestDevice } from "../node.ts";
import { presets } from "../pictures.ts";
import { adapterName } from "./context.ts";
import { describeFailure } from "./failure.ts";
import { readInput } from "./files.ts";
import { layersTable } from "./layers.ts";
import { writeOutput } from "./outputs.ts";
import { finish, interruptible } from "./process.ts";
import { Progress } from "./progress.ts";
import { facts, formatBytes, formatDecibels, formatMs, formatPercent, table } from "./table.ts";
import { packageFolder } from "./version.ts";

const CALIBRATION = 128; // pictures
const EVALUATION = 500; // pictures
const BATCH = 10; // pictures at a time
const SIDE = 48; // px, of the sample's pictures, which keep their size

function pictures(split: Split, count: number): JobPicture[] {
  return Array.from({ length: count }, (_, index) => {
    const { label, width, height, data } = samplePicture(index, split);
    return { name: `${split}/${index}`, source: { width, height, data }, label };
  });
}

/** The result as people read it. */
function report(result: JobResult): string {
  const { evaluation, inspection, bytesGiven, bytesQuantized, quantization } = result;
  const smaller = `${(bytesGiven / bytesQuantized).toFixed(2)} times smaller`;
  const rows = [
    ["", "float", "int8", ""],
    ["bytes", formatBytes(bytesGiven), formatBytes(bytesQuantized), smaller],
    ["top-1", formatPercent(evaluation?.referenceTop1), formatPercent(evaluation?.top1), ""],
    ["agreement", "", formatPercent(evaluation?.agreement), "same answer as float"],
    ["logit SQNR", "", formatDecibels(evaluation?.sqnrDb), ""],
    [
      "latency",
      formatMs(evaluation?.referenceLatencyMs?.median),
      formatMs(evaluation?.latencyMs.median),
      `a picture, ${BATCH} at a time`,
    ],
    [
      "integer share",
      formatPercent(0),
      formatPercent(100 * inspection.integerMacShare),
      "of multiply-accumulates",
    ],
  ];
  return [table(rows), "The five worst layers:", layersTable(quantization?.layers ?? [], 5)].join(
    "\n\n",
  );
}

const { stdout, stderr } = process;
const signal = interruptible();
const progress = new Progress(stderr);

async function start(): Promise<void> {
  const folder = packageFolder();
  const modelPath = join(folder, "demo", "sample", "model.onnx");
  const out = join(folder, "out", "sample-int8.onnx");
  const model = await readInput("model", modelPath, signal);
  using device = await requestDevice();
  stdout.write(
    `Sample classifier: ${classNames.length} shapes, ${SIDE}×${SIDE} pictures. Calibrate on ${CALIBRATION} ` +
      `pictures, evaluate on ${EVALUATION} others.\nAdapter: ${adapterName(device.facts)}\n\n`,
  );
  const begin = performance.now();
  const result = await runJob(
    {
      model,
      calibration: pictures("calibration", CALIBRATION),
      evaluation: pictures("test", EVALUATION),
      preprocess: { ...presets.tf, resize: SIDE },
      batch: BATCH,
    },
    {
      device,
      signal,
      onProgress: ({ phase, done, total }) => progress.report(phase, done, total),
    },
  );
  progress.clear();
  await mkdir(dirname(out), { recursive: true });
  await writeOutput(out, result.file, { stdout, signal });
  const seconds = ((performance.now() - begin) / 1000).toFixed(0);
  const where = facts([
    ["time", `${seconds} s`],
    ["int8 model", relative(process.cwd(), out)],
    ["the page", "npm run dev, then open the address that it prints"],
    ["your model", "node bin/webgpu-quant.js quantize --help"],
  ]);
  stdout.write(`${report(result)}\n\n${where}\n`);
}

let status = 0;
try {
  await start();
} catch (error) {
  progress.clear();
  const failure = describeFailure(error, signal);
  stderr.write(`${failure.message}\n`);
  status = failure.status;
}
await finish(status);
