// Where the time goes: every step of a plan timed alone, summed by shader: of a model in float, observed and int8,
// or of training. Times are of one machine: compare the columns of one run, never two runs. A software adapter
// computes in this process, so that its processor time tells more where others use the machine too.

import { load, prepare, type Device, type Model, type Tensors } from "../../src/index.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import { Program } from "../../src/gpu/program.ts";
import { lower } from "../../src/plan/lower.ts";
import { targetOf } from "../../src/plan/target.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import type { Platform } from "../core/platform.ts";
import type { BenchOptions } from "../core/options.ts";
import { random } from "../core/random.ts";
import { BATCH, cifarNetwork, drawBatch, TITLE } from "../models/cifar.ts";
import { bindBatch, drawInputs, WEIGHT_SEED, type BenchModel } from "../models/models.ts";
import { firstStepOf, WAYS } from "../peers/oursTraining.ts";

const REPEATS = 3;

/** The text of one graph's profile. */
async function profile(
  label: string,
  graph: BoundGraph,
  inputs: Tensors,
  device: Device,
  top: number,
): Promise<string> {
  const plan = lower(graph, targetOf(device.facts));
  using program = await Program.create(device, plan);
  const map = new Map(Object.entries(inputs));
  await program.run(map);
  let [whole, processor] = [Infinity, Infinity];
  for (let repeat = 0; repeat < REPEATS; repeat++) {
    const [start, used] = [performance.now(), process.cpuUsage()];
    await program.run(map);
    whole = Math.min(whole, performance.now() - start);
    const { user, system } = process.cpuUsage(used);
    processor = Math.min(processor, (user + system) / 1000);
  }
  const times = await program.timeSteps(REPEATS);
  const byShader = new Map<string, number>();
  plan.steps.forEach(({ shader }, index) =>
    byShader.set(shader, (byShader.get(shader) ?? 0) + (times[index] ?? 0)),
  );
  const slowest = plan.steps
    .map((step, index) => ({ step, ms: times[index] ?? 0 }))
    .toSorted((a, b) => b.ms - a.ms);
  return [
    `\n${label}: ${plan.steps.length} dispatches, ${whole.toFixed(1)} ms a run, ${processor.toFixed(1)} ms of processors`,
    ...[...byShader]
      .toSorted((a, b) => b[1] - a[1])
      .map(([shader, ms]) => `  ${shader.padEnd(22)} ${ms.toFixed(1).padStart(8)} ms`),
    ...slowest
      .slice(0, top)
      .map(({ step, ms }) => `    ${ms.toFixed(1).padStart(8)} ms  ${step.shader} ${step.node}`),
  ].join("\n");
}

export async function profileSteps(
  { title, float, int8 }: BenchModel,
  platform: Platform,
  { top, seed }: { readonly top: number; readonly seed: number },
): Promise<string> {
  using device = await platform.openDevice();
  const quantized = (await load(int8)) as Model<"quantized">;
  const inputs = drawInputs(quantized.graph, 1, random(seed));
  const parts = [`${title} on ${device.facts.description || device.facts.vendor}`];
  if (float) {
    const model = (await load(float)) as Model<"float">;
    parts.push(await profile("float", bindBatch(fuse(model.graph), 1), inputs, device, top));
    parts.push(await profile("observed", bindBatch(prepare(model).graph, 1), inputs, device, top));
  }
  parts.push(await profile("int8", bindBatch(quantized.graph, 1), inputs, device, top));
  return parts.join("\n");
}

/** The three ways of the training network. */
export async function profileTraining(
  platform: Platform,
  { top, seed, batch: [size = BATCH] = [] }: Pick<BenchOptions, "top" | "seed" | "batch">,
): Promise<string> {
  using device = await platform.openDevice();
  const network = cifarNetwork(random(WEIGHT_SEED), size);
  const batch = drawBatch(network, random(seed));
  const parts = [`${TITLE} on ${device.facts.description || device.facts.vendor}`];
  for (const way of WAYS) {
    const { graph, inputs } = firstStepOf(network, way, batch);
    parts.push(await profile(way, graph, inputs, device, top));
  }
  return parts.join("\n");
}
