// Where the time goes: every step of a model's plan timed alone, float, observed and int8, summed by
// shader. `npm run bench -- MODEL.onnx [--top N]`; without a model, the sample. Times are wall times of
// one machine: compare the columns of one run, never two runs.

import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { symbolicDims } from "../src/compile.ts";
import {
  calibrate,
  convert,
  load,
  prepare,
  requestDevice,
  type Device,
  type Graph,
  type Model,
  type Tensors,
} from "../src/node.ts";
import { bindShapes } from "../src/graph/bind.ts";
import { Program } from "../src/gpu/program.ts";
import { lower } from "../src/plan/lower.ts";
import { fuse } from "../src/quantize/fuse.ts";
import { sizeOf, tensor } from "../src/tensor/tensor.ts";

const REPEATS = 3;

/** Inputs of size 1 along every open axis, filled with a fixed pattern of −1 … 1. */
function inputsOf(graph: Graph): Tensors {
  const bound = bindShapes(graph, new Map(symbolicDims(graph).map((name) => [name, 1])));
  return Object.fromEntries(
    graph.inputs.map((name) => {
      const shape = bound.values.get(name)?.shape ?? [];
      const data = Float32Array.from(
        { length: sizeOf(shape) },
        (_, i) => ((i * 7919) % 255) / 127.5 - 1,
      );
      return [name, tensor("float32", shape, data)];
    }),
  );
}

async function profile(
  label: string,
  graph: Graph,
  inputs: Tensors,
  device: Device,
  top: number,
): Promise<void> {
  const plan = lower(bindShapes(graph, new Map(symbolicDims(graph).map((name) => [name, 1]))));
  using program = await Program.create(device, plan);
  const map = new Map(Object.entries(inputs));
  await program.run(map);
  let whole = Infinity;
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const start = performance.now();
    await program.run(map);
    whole = Math.min(whole, performance.now() - start);
  }
  const times = await program.timeSteps(REPEATS);
  const byShader = new Map<string, number>();
  plan.steps.forEach(({ shader }, index) =>
    byShader.set(shader, (byShader.get(shader) ?? 0) + (times[index] ?? 0)),
  );
  console.log(`\n${label}: ${plan.steps.length} dispatches, ${whole.toFixed(1)} ms a run`);
  for (const [shader, ms] of [...byShader].toSorted((a, b) => b[1] - a[1]))
    console.log(`  ${shader.padEnd(22)} ${ms.toFixed(1).padStart(8)} ms`);
  const slowest = plan.steps
    .map((step, index) => ({ step, ms: times[index] ?? 0 }))
    .toSorted((a, b) => b.ms - a.ms);
  for (const { step, ms } of slowest.slice(0, top))
    console.log(`    ${ms.toFixed(1).padStart(8)} ms  ${step.shader} ${step.node}`);
}

const [file, ...rest] = process.argv
  .slice(2)
  .filter((word, index, words) => word !== "--top" && words[index - 1] !== "--top");
if (rest.length > 0) throw new Error(`bench: one model at most; got ${rest.length + 1}`);
const topAt = process.argv.indexOf("--top");
const top = topAt < 0 ? 5 : Number(process.argv[topAt + 1]);
const path = file ?? fileURLToPath(new URL("../demo/sample/model.onnx", import.meta.url));
const device = await requestDevice();
console.log(`${path} on ${device.facts.description || device.facts.vendor}`);
const model = (await load(await readFile(path))) as Model;
const inputs = inputsOf(model.graph);
if (model.stage === "float") {
  const float = model as Model<"float">;
  await profile("float", fuse(float.graph), inputs, device, top);
  const prepared = prepare(float);
  await profile("observed", prepared.graph, inputs, device, top);
  const calibrated = await calibrate(prepared, [inputs], { device, biasCorrection: false });
  await profile("int8", convert(calibrated).graph, inputs, device, top);
} else {
  await profile("int8", model.graph, inputs, device, top);
}
device.dispose();
process.exit(0);
