// Quantization-aware training of small networks for tests: the same steps in the reference and on a device.

import { hyperOf, type OptimizerSpec } from "../../src/autodiff/optimizers.ts";
import { stepGraph } from "../../src/autodiff/step.ts";
import type { Device } from "../../src/gpu/device.ts";
import type { BoundGraph } from "../../src/graph/bind.ts";
import type { Model } from "../../src/model.ts";
import { withTrained } from "../../src/prepareQat.ts";
import type { QatMode } from "../../src/quantize/qat/model.ts";
import { trainingGraph } from "../../src/quantize/qat/train.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { Session } from "../../src/session.ts";
import { float32, tensor, toNumbers, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import { pictures } from "./models.ts";

export interface Batch {
  readonly inputs: Tensors;
  readonly labels: readonly number[];
}

/** Runs one graph again and again; its variables live in between. Gives every output and variable. */
export interface Runner extends Disposable {
  step(feeds: Tensors): Promise<ReadonlyMap<string, Tensor>>;
}
export type Runners = (graph: BoundGraph) => Runner;

/** In the reference. */
export const inReference: Runners = (graph) => {
  let current = graph;
  return {
    step: (feeds) => {
      const values = interpret(current, feeds);
      const names = [...(current.variables?.keys() ?? [])];
      const variables = new Map(names.map((name) => [name, values.get(name)!] as const));
      current = { ...current, variables };
      return Promise.resolve(values);
    },
    [Symbol.dispose]: () => undefined,
  };
};

export const onDevice =
  (device: Device): Runners =>
  (graph) => {
    const outputs = [...graph.outputs, ...(graph.variables?.keys() ?? [])];
    const session = new Session({ ...graph, outputs }, device);
    return {
      step: async (feeds) => new Map(Object.entries(await session.run(feeds))),
      [Symbol.dispose]: () => session.dispose(),
    };
  };

export const defaultMode: QatMode = {
  batchNorm: "batch",
  observers: true,
  fakeQuantize: true,
  learnable: false,
};

export interface Trained {
  readonly model: Model<"qat">;
  readonly losses: readonly number[];
  /** The state after each step. */
  readonly states: readonly ReadonlyMap<string, Tensor>[];
}

/** Train `model` on `batches`, a step each, in one mode. Momentum starts from 0, or goes on from `before`. */
export async function trainQat(
  model: Model<"qat">,
  batches: readonly Batch[],
  optimizer: OptimizerSpec,
  runners: Runners,
  given: Partial<QatMode> = {},
  before?: Trained,
): Promise<Trained> {
  const mode = { ...defaultMode, ...given };
  const [first] = batches;
  const count = first!.labels.length;
  const { graph, loss, target, hyper } = stepGraph(
    trainingGraph(model.details, mode, new Map([["batch", count]])),
    { loss: { kind: "crossEntropy" }, optimizer },
  );
  // What the optimizer remembers goes on from mode to mode.
  const last = before?.states.at(-1);
  const variables = new Map(
    [...graph.variables!].map(([name, data]) => [name, last?.get(name) ?? data] as const),
  );
  using runner = runners({ ...graph, variables });
  const losses: number[] = [];
  const states: ReadonlyMap<string, Tensor>[] = [];
  const done = before?.states.length ?? 0;
  for (const [index, { inputs, labels }] of batches.entries()) {
    const { learningRate } = optimizer;
    const values = await runner.step({
      ...inputs,
      [target]: tensor("int32", [count], Int32Array.from(labels)),
      [hyper]: float32([8], hyperOf(optimizer, { learningRate, update: done + index + 1 })),
    });
    losses.push(toNumbers(values.get(loss)!)[0]!);
    const kept = [...variables.keys()].map((name) => [name, values.get(name)!] as const);
    states.push(new Map([...(states.at(-1) ?? last ?? []), ...kept]));
  }
  const trained = withTrained(model, states.at(-1)!);
  return {
    model: trained,
    losses: [...(before?.losses ?? []), ...losses],
    states: [...(before?.states ?? []), ...states],
  };
}

/** Bytes of `converted` that are not those that `evaluated`, of the same inputs, stands for. */
export function compareBytes(
  model: Model<"qat">,
  converted: Model<"quantized">,
  results: {
    readonly got: ReadonlyMap<string, Tensor>;
    readonly want: ReadonlyMap<string, Tensor>;
  },
): { readonly count: number; readonly differing: number; readonly most: number } {
  let [count, differing, most] = [0, 0, 0];
  for (const name of model.graph.values.keys()) {
    const [got, want] = [results.got.get(name), results.want.get(name)];
    const quant = converted.graph.values.get(name)?.quant;
    if (!got || want?.dtype !== "float32" || !quant || model.graph.constants.has(name)) continue;
    const [scale, zeroPoint] = [quant.scale[0]!, quant.zeroPoint[0]!];
    const codes = toNumbers(got);
    toNumbers(want).forEach((real, index) => {
      const apart = Math.abs(Math.round(real / scale) + zeroPoint - codes[index]!);
      count++;
      if (apart > 0) differing++;
      most = Math.max(most, apart);
    });
  }
  return { count, differing, most };
}

/** Pictures of residualGraph, with labels. */
export const residualBatches = (count: number, size = 4): Batch[] =>
  Array.from({ length: count }, (_, index) => ({
    inputs: pictures(size, 40 + index),
    labels: Array.from({ length: size }, (_, i) => (i + index) % 5),
  }));
