// compile: a model → a session on a device.

import { checkDevice } from "./callerChecks.ts";
import { checkNames, InputError, listNames } from "./errors.ts";
import { bindShapes, type BoundGraph } from "./graph/bind.ts";
import { namesOf } from "./graph/dims.ts";
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
  /** The greatest size of each dim that inputs leave open: `{ batch: 8, sequence: 512 }`. With them, all
   *  that any size up to them needs is compiled, uploaded and allocated here, and a run of another size
   *  costs a few milliseconds of the host's time. Without, each set of sizes gets memory of its own when
   *  it first comes, and the last few are kept. */
  readonly bounds?: Readonly<Record<string, number>>;
}

/** Make `model` ready to run. Nodes that cannot run are found here, before anything runs. The first
 *  compile on a device runs the self-test.
 *  Throws UnsupportedError, AccumulatorError, SelfTestError, GpuError, DeviceLostError, and InputError for
 *  another device's tuning table and for bounds that do not fit the model. */
export async function compile(
  model: Model<"float" | "qat" | "quantized">,
  device: Device,
  options: CompileOptions = {},
): Promise<Session> {
  checkStage("compile", model, ["float", "qat", "quantized"], "Convert the model first.");
  checkDevice("compile", device);
  await selfTest(device);
  const graph = model.stage === "float" ? fuse(model.graph) : model.graph;
  const target = tunedTarget(device.facts, options.tuning);
  const dims = symbolicDims(graph);
  const bounds = options.bounds && boundsOf(dims, options.bounds);
  const session = new Session(graph, device, target, bounds);
  if (bounds) await session.prepare();
  else if (dims.length === 0) await session.prepareFor(new Map());
  else lower(bindSome(session.graph, dims), target);
  return session;
}

/** `graph` at some sizes that fit it: a model may need more than one element along an axis. */
function bindSome(graph: Graph, dims: readonly string[], sizes = [1, 2, 16, 128]): BoundGraph {
  const [size = 1, ...others] = sizes;
  try {
    return bindShapes(graph, new Map(dims.map((name) => [name, size])));
  } catch (error) {
    if (!(error instanceof InputError) || others.length === 0) throw error;
    return bindSome(graph, dims, others);
  }
}

/** The bound of each of `dims`, or an InputError. */
function boundsOf(
  dims: readonly string[],
  given: Readonly<Record<string, number>>,
): ReadonlyMap<string, number> {
  checkNames("bounds", "open size", Object.keys(given), dims);
  for (const [name, bound] of Object.entries(given))
    if (!Number.isInteger(bound) || bound < 1)
      throw new InputError(
        `bounds: "${name}" must be a positive integer; got ${bound}. Pass the greatest size to run.`,
      );
  const missing = dims.filter((name) => !Object.hasOwn(given, name));
  if (missing.length > 0)
    throw new InputError(
      `bounds: every open size needs one, the model has ${listNames(dims)}; got ` +
        `${Object.keys(given).join(", ") || "none"}. Add ${missing.join(", ")}.`,
    );
  return new Map(dims.map((name) => [name, given[name] ?? 1]));
}

/** Names of the sizes that inputs leave open. */
export function symbolicDims(graph: Graph): string[] {
  const dims = graph.inputs.flatMap((name) => valueOf(graph, name).shape);
  return [...new Set(dims.flatMap(namesOf))];
}
