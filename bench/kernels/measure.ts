// One kernel on data that stays on the GPU: a plan is plain data, so the plan that is timed is the
// kernel's own dispatches many times over, without upload and without read-back.

import { bindShapes } from "../../src/graph/bind.ts";
import { Program } from "../../src/gpu/program.ts";
import type { Device } from "../../src/gpu/device.ts";
import { lower } from "../../src/plan/lower.ts";
import { targetOf, type Target } from "../../src/plan/target.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { histogramOf, minMaxOf } from "../../src/reference/observe.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { readSlot } from "../../src/statistics.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Observe } from "../../src/graph/node.ts";
import type { Tensor } from "../../src/tensor/tensor.ts";
import { exactAgreement, floatAgreement, onlyOutput, type Agreement } from "../core/check.ts";
import type { Random } from "../core/random.ts";
import type { KernelCase, Probe } from "./case.ts";

const NONE: ReadonlyMap<string, Tensor> = new Map();
/** ms of a submit, so that submitting is little beside the work. */
const LONG = 20;
const MOST_REPEATS = 256;

/** A checked kernel that can be timed. */
export interface Prepared extends Disposable {
  readonly check: Agreement;
  /** Dispatches of one run, and their shaders. */
  readonly dispatches: number;
  readonly shaders: string;
  /** ms of one run: a submit of many, divided. */
  time(): Promise<number>;
}

/** The kernel's steps `repeats` times, and nothing that leaves the GPU. */
function repeated(plan: Plan, repeats: number): Plan {
  const own = plan.steps.filter(({ node }) => node === "kernel");
  const steps = Array.from({ length: repeats }, () => own).flat();
  return { ...plan, steps, outputs: [], states: [] };
}

export async function prepareKernel(
  device: Device,
  kernel: KernelCase,
  next: Random,
  target: Target = targetOf(device.facts),
): Promise<Prepared> {
  const { graph, probe } = kernel.make(next);
  const plan = lower(bindShapes(graph, new Map()), target);
  const check = await checkKernel(device, plan, graph, probe);
  let repeats = 1;
  let program = await Program.create(device, repeated(plan, repeats));
  const run = async () => {
    const start = performance.now();
    await program.run(NONE);
    return performance.now() - start;
  };
  await run();
  while (repeats < MOST_REPEATS) {
    const ms = Math.min(await run(), await run());
    if (ms >= LONG / 2) break;
    repeats = Math.min(
      MOST_REPEATS,
      repeats * Math.max(2, Math.ceil(LONG / Math.max(ms, 0.1) / 2)),
    );
    program.dispose();
    program = await Program.create(device, repeated(plan, repeats));
    await run();
  }
  const own = plan.steps.filter(({ node }) => node === "kernel");
  return {
    check,
    dispatches: own.length,
    shaders: [...new Set(own.map(({ shader }) => shader))].join(", "),
    time: async () => (await run()) / repeats,
    [Symbol.dispose]: () => program.dispose(),
  };
}

const REFERENCE = "the reference interpreter";

async function checkKernel(
  device: Device,
  plan: Plan,
  graph: Graph,
  probe: Probe,
): Promise<Agreement> {
  using program = await Program.create(device, plan);
  if (probe.kind === "statistics") return await checkStatistics(program, graph, probe.x);
  const outputs = await program.run(NONE);
  const got = onlyOutput(Object.fromEntries(outputs), "the kernel");
  const want = interpret(bindShapes(probe.graph, new Map()), {}).get("y");
  if (!want) throw new Error("bench: the probe has no output; please report.");
  const [a, b] = [probe.pick(got.data as Float32Array), want.data as Float32Array];
  return got.dtype === "float32"
    ? floatAgreement(a, b, REFERENCE)
    : exactAgreement(a, b, REFERENCE);
}

async function checkStatistics(
  program: Program,
  graph: Graph,
  x: Extract<Probe, { kind: "statistics" }>["x"],
): Promise<Agreement> {
  const [state] = await program.runStates(NONE);
  const node = graph.nodes[0] as Observe;
  const seen = state && readSlot(node, state.slot.shape, state.bytes);
  if (!seen || seen === "non-finite")
    throw new Error(`bench: the observer saw ${seen ?? "nothing"}; please report.`);
  const { min, max } = minMaxOf(x);
  const least = min[0] ?? NaN;
  const greatest = max[0] ?? NaN;
  if (!("counts" in seen)) {
    return exactAgreement([...seen.min, ...seen.max], [least, greatest], REFERENCE);
  }
  const counts = histogramOf(x, least, greatest, seen.counts.length);
  return exactAgreement(
    [seen.min, seen.max, ...seen.counts],
    [least, greatest, ...counts],
    REFERENCE,
  );
}
