// One node between inputs and outputs, run twice: on a device through Session, and by the reference.
// Every kernel test takes this path, so it tests what users run: lowering, packing and shaders.

import fc from "fast-check";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import type { QParams } from "../../src/graph/value.ts";
import type { Device } from "../../src/gpu/device.ts";
import type { Target } from "../../src/plan/target.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import type { Tensor, Tensors } from "../../src/tensor/tensor.ts";

/** A node without what `single` gives it. */
export type Attributes<N = Node> = N extends Node ? Omit<N, "name" | "inputs" | "outputs"> : never;

export interface Operand {
  readonly tensor: Tensor;
  readonly quant?: QParams;
  readonly constant?: boolean;
  /** Lives from run to run, and is an output as the run leaves it. */
  readonly variable?: boolean;
}

/** A graph and what to feed it. */
export interface Case {
  readonly graph: Graph;
  readonly feeds: Tensors;
}

/** The graph of one node named "node"; its operands are x0, x1, …, its outputs y0, y1, …. These have
 *  the first operand's dtype, or `type`. */
export function single(
  attributes: Attributes,
  operands: readonly Operand[],
  type?: QParams | "float32",
  outputCount = 1,
): Case {
  const builder = new GraphBuilder();
  const feeds: Record<string, Tensor> = {};
  const inputs = operands.map(({ tensor, quant: own, constant, variable }, index) => {
    const name = `x${index}`;
    if (variable) return builder.variable(name, tensor);
    if (constant) return builder.constant(name, tensor, own);
    feeds[name] = tensor;
    const { dtype, shape } = tensor;
    return builder.input(name, { dtype, shape, ...(own ? { quant: own } : {}) });
  });
  const outputs = Array.from({ length: outputCount }, (_, index) => `y${index}`);
  const typed = type === "float32" ? { dtype: type } : type ? { quant: type } : {};
  builder.add({ ...attributes, name: "node", inputs, outputs } as Node, typed);
  const kept = [...outputs, ...builder.variables.keys()];
  return { graph: builder.build("single", Object.keys(feeds), kept), feeds };
}

/** Greatest |got − want| allowed, of the greatest |want|: sums of f32 in another order, and functions
 *  such as exp that WGSL rounds to a few ULP, stay an order below it at the sizes used here. */
const FLOAT_TOLERANCE = 1e-5;

/** What a tolerance is relative to. */
export interface Closeness {
  readonly tolerance?: number;
  /** Least magnitude it is relative to: that of the terms, where a sum may cancel them. */
  readonly terms?: number;
}

/** Where `got` is not `want`, in words; undefined where it is. Integers must be equal. */
export function difference(
  got: Tensor | undefined,
  want: Tensor,
  { tolerance = FLOAT_TOLERANCE, terms = 0 }: Closeness = {},
): string | undefined {
  if (got?.dtype !== want.dtype || got.shape.join() !== want.shape.join())
    return `type ${got?.dtype}[${got?.shape.join()}] for ${want.dtype}[${want.shape.join()}]`;
  let largest = terms;
  for (const value of want.data) {
    const size = Math.abs(Number(value));
    if (Number.isFinite(size)) largest = Math.max(largest, size);
  }
  const allowed = want.dtype === "float32" ? largest * tolerance : 0;
  for (let index = 0; index < want.data.length; index++) {
    const [g, w] = [Number(got.data[index]), Number(want.data[index])];
    if (g === w || (Number.isNaN(g) && Number.isNaN(w)) || Math.abs(g - w) <= allowed) continue;
    return `element ${index} of [${want.shape.join()}] is ${g} for ${w} (allowed ${allowed})`;
  }
  return undefined;
}

/** Throws unless `device` gives what the reference gives, for every output. */
export async function checkCase(
  device: Device,
  { graph, feeds }: Case,
  closeness?: Closeness,
  target?: Target,
) {
  const want = interpret(bindShapes(graph, new Map()), feeds);
  using session = new Session(graph, device, target);
  const got = await session.run(feeds, { nonFinite: "allow" });
  for (const name of graph.outputs) {
    const wrong = difference(got[name], want.get(name)!, closeness);
    if (wrong !== undefined) throw new Error(`${name}: ${wrong}`);
  }
}

/** A kernel, and the cases it must get right. */
export interface Family {
  readonly title: string;
  /** `count` of its cases, the same every time. */
  sample(count: number): Case[];
  /** Run `runs` random cases, lowered for `target`; a failure is shrunk, and shows its seed and the
   *  whole case. */
  check(device: Device, runs: number, target?: Target): Promise<void>;
}

const SEED = 20260727;

/** For sums of terms of about 1. */
export const sums: Closeness = { terms: 1 };

export function family<P>(
  title: string,
  arbitrary: fc.Arbitrary<P>,
  build: (parameters: P) => Case,
  closeness?: Closeness,
): Family {
  return {
    title,
    sample: (count) => fc.sample(arbitrary, { seed: SEED, numRuns: count }).map(build),
    check: async (device, runs, target) => {
      const property = fc.asyncProperty(arbitrary, (parameters) =>
        checkCase(device, build(parameters), closeness, target),
      );
      await fc.assert(property, { seed: SEED, numRuns: runs, endOnFailure: false });
    },
  };
}

/** A size: 1, around the word of four, and now and then none. */
export const dim: fc.Arbitrary<number> = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9) },
  { weight: 1, arbitrary: fc.constant(0) },
);

/** A size that is at least 1. */
export const size: fc.Arbitrary<number> = fc.constantFrom(1, 2, 3, 4, 5, 7, 8, 9);

export const seed = fc.nat(1e6);

/** Per-tensor parameters: both dtypes, zero points at both ends and odd and even between. */
export const perTensor = fc
  .record({
    dtype: fc.constantFrom("int8" as const, "uint8" as const),
    scale: fc.constantFrom(0.5, 0.0625, 0.031, 0.0078431377, 1.7),
    zero: fc.constantFrom(0, 1, 100, 101, 128, 131, 254, 255),
  })
  .map(({ dtype, scale, zero }): QParams => ({
    dtype,
    scale: Float32Array.of(scale),
    zeroPoint: Int32Array.of(dtype === "int8" ? zero - 128 : zero),
  }));
