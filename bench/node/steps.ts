// Where the time goes: every step of a model's plan timed alone, float, observed and int8, summed by
// shader. Times are wall times of one machine: compare the columns of one run, never two runs.

import {
  load,
  prepare,
  type Device,
  type Graph,
  type Model,
  type Tensors,
} from "../../src/index.ts";
import { Program } from "../../src/gpu/program.ts";
import { lower } from "../../src/plan/lower.ts";
import { targetOf } from "../../src/plan/target.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import type { Platform } from "../core/platform.ts";
import { random } from "../core/random.ts";
import { bindBatch, drawInputs, type BenchModel } from "../models/models.ts";

const REPEATS = 3;

/** The text of one graph's profile. */
async function profile(
  label: string,
  graph: Graph,
  inputs: Tensors,
  device: Device,
  top: number,
): Promise<string> {
  const plan = lower(bindBatch(graph, 1), targetOf(device.facts));
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
  const slowest = plan.steps
    .map((step, index) => ({ step, ms: times[index] ?? 0 }))
    .toSorted((a, b) => b.ms - a.ms);
  return [
    `\n${label}: ${plan.steps.length} dispatches, ${whole.toFixed(1)} ms a run`,
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
    parts.push(await profile("float", fuse(model.graph), inputs, device, top));
    parts.push(await profile("observed", prepare(model).graph, inputs, device, top));
  }
  parts.push(await profile("int8", quantized.graph, inputs, device, top));
  return parts.join("\n");
}
