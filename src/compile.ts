// compile: a model → a session on a device.

import { checkDevice } from "./callerChecks.ts";
import { InputError } from "./errors.ts";
import { checkNames, listNames } from "./text/names.ts";
import { inTurns } from "./flow/turns.ts";
import { bindShapes } from "./graph/bind.ts";
import { namesOf } from "./graph/dims.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import type { Device } from "./gpu/device.ts";
import type { Watch } from "./gpu/loadedPlan.ts";
import { checkStage, type Model } from "./model.ts";
import type { Dims } from "./plan/family.ts";
import { fuseSteps } from "./quantize/fuse.ts";
import { selfTest } from "./selfTest.ts";
import { Session } from "./session.ts";
import { sizeOf } from "./tensor/tensor.ts";
import { tunedTarget, type TuningTable } from "./tuning/table.ts";

export interface CompileOptions {
  /** What `tune` measured on this device: faster, never different. */
  readonly tuning?: TuningTable;
  /** The greatest size of each dim that inputs leave open: `{ batch: 8, sequence: 512 }`. With them, all
   *  that any size up to them needs is compiled, uploaded and allocated here, and a run of another size
   *  costs a few milliseconds of the host's time. Without, each set of sizes gets memory of its own when
   *  it first comes, and the last few are kept. */
  readonly bounds?: Readonly<Record<string, number>>;
  /** Sizes that will run, of every dim that inputs leave open: all that they need is made ready here. Other sizes still
   *  run, when they come. */
  readonly dims?: Readonly<Record<string, number>>;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CompileProgress) => void;
}

export interface CompileProgress {
  /** "self-test": kernel families tried, once a device. "kernels": shaders compiled, most of the time there is. */
  readonly phase: "self-test" | "kernels";
  /** Of `total`, which may be given anew for each set of sizes. */
  readonly done: number;
  readonly total: number;
}

/**
 * Make `model` ready to run. Nodes that cannot run are found here, before anything runs. The first
 * compile on a device runs the self-test.
 * @returns a session whose first run waits for little: where sizes are open, the kernels and constants of typical sizes
 *   are there; with `dims` or `bounds` everything is.
 * @throws UnsupportedError, AccumulatorError, LimitError, SelfTestError, GpuError, DeviceLostError; InputError for
 *   another device's tuning table and for `bounds` and `dims` that do not fit the model; the reason of `signal` as soon
 *   as it aborts. Nothing stays allocated then.
 */
export async function compile(
  model: Model<"float" | "qat" | "quantized">,
  device: Device,
  options: CompileOptions = {},
): Promise<Session> {
  checkStage("compile", model, ["float", "qat", "quantized"], "Convert the model first.");
  checkDevice("compile", device);
  const { signal, onProgress } = options;
  const current = device.current;
  await selfTest(current, {
    ...(signal ? { signal } : {}),
    onProgress: (done, total) => onProgress?.({ phase: "self-test", done, total }),
  });
  const graph =
    model.stage === "float" ? await inTurns(fuseSteps(model.graph), signal) : model.graph;
  const target = tunedTarget(current.facts, options.tuning);
  const names = symbolicDims(graph);
  const bounds = options.bounds && sizesOf("bounds", names, options.bounds);
  const dims = options.dims && sizesOf("dims", names, options.dims);
  const session = new Session(graph, current, target, bounds);
  const watch: Watch = {
    ...(signal ? { signal } : {}),
    onKernel: (done, total) => onProgress?.({ phase: "kernels", done, total }),
  };
  try {
    if (bounds) await session.prepare([], watch);
    if (dims ?? names.length === 0) await session.prepareWhole(dims ?? new Map(), watch);
    else if (!bounds) await session.prepare([smallestDims(session.graph, names)], watch);
    return session;
  } catch (error) {
    session.dispose();
    throw error;
  }
}

/** Sizes tried for open dims: a model may need more than one element along an axis. */
const TRIED = [1, 2, 16, 128];

/** The smallest sizes that fit `graph`, one for all open dims, and leave no value empty where that can be; most
 *  kernels are those of other sizes, too.
 *  @throws InputError where no size that is tried fits */
export function smallestDims(graph: Graph, names: readonly string[]): Dims {
  let fitting: Dims | undefined;
  let last: unknown;
  for (const size of TRIED) {
    const dims = new Map(names.map((name) => [name, size]));
    try {
      const { values } = bindShapes(graph, dims);
      if ([...values.values()].every(({ shape }) => sizeOf(shape) > 0)) return dims;
      fitting ??= dims;
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      last = error;
    }
  }
  if (fitting) return fitting;
  throw last;
}

/** The size that `given` names for each of `names`, or an InputError that begins with `option`. */
function sizesOf(
  option: "bounds" | "dims",
  names: readonly string[],
  given: Readonly<Record<string, number>>,
): Dims {
  const sizes = new Map(Object.entries(given));
  checkNames(option, "open size", [...sizes.keys()], names);
  for (const [name, size] of sizes) {
    if (!Number.isInteger(size) || size < 1)
      throw new InputError(
        `${option}: "${name}" must be a positive integer; got ${size}. ` +
          `Pass the ${option === "bounds" ? "greatest size" : "size"} to run.`,
      );
  }
  const missing = names.filter((name) => !sizes.has(name));
  if (missing.length > 0)
    throw new InputError(
      `${option}: every open size needs one, the model has ${listNames(names)}; got ` +
        `${[...sizes.keys()].join(", ") || "none"}. Add ${missing.join(", ")}.`,
    );
  return new Map(names.map((name) => [name, sizes.get(name) ?? 1]));
}

/** Names of the sizes that inputs leave open. */
export function symbolicDims(graph: Graph): string[] {
  const dims = graph.inputs.flatMap((name) => valueOf(graph, name).shape);
  return [...new Set(dims.flatMap(namesOf))];
}
