// compile: a model → a session on a device.

import { bindShapes } from "./graph/bind.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import type { Device } from "./gpu/device.ts";
import { checkStage, type Model } from "./model.ts";
import { lower } from "./plan/lower.ts";
import { fuse } from "./quantize/fuse.ts";
import { selfTest } from "./selfTest.ts";
import { Session } from "./session.ts";
import { tunedTarget, type TuningTable } from "./tuning/table.ts";

export interface CompileOptions {
  /** What `tune` measured on this device: faster, never different. */
  readonly tuning?: TuningTable;
}

/** Make `model` ready to run. Nodes that cannot run are found here, before anything runs. The first
 *  compile on a device runs the self-test.
 *  Throws UnsupportedError, AccumulatorError, SelfTestError, GpuError, DeviceLostError, and InputError for
 *  another device's tuning table. */
export async function compile(
  model: Model<"float" | "quantized">,
  device: Device,
  options: CompileOptions = {},
): Promise<Session> {
  checkStage("compile", model, ["float", "quantized"], "Convert the model first.");
  await selfTest(device);
  const graph = model.stage === "float" ? fuse(model.graph) : model.graph;
  const target = tunedTarget(device.facts, options.tuning);
  const session = new Session(graph, device, target);
  const dims = symbolicDims(graph);
  if (dims.length === 0) await session.prepareFor(new Map());
  else lower(bindShapes(session.graph, new Map(dims.map((name) => [name, 1]))), target);
  return session;
}

/** Names of the sizes that inputs leave open. */
export function symbolicDims(graph: Graph): string[] {
  const dims = graph.inputs.flatMap((name) => valueOf(graph, name).shape);
  return [...new Set(dims.filter((dim) => typeof dim === "string"))];
}
