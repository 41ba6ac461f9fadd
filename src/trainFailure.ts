// Where a training broke: the first tensor on the way forward that is not finite. The step that failed changed no
// parameter (GuardStep), so it can be looked at again: the forward part once more, with every value read.

import { GpuError, TrainingError } from "./errors.ts";
import type { BoundGraph } from "./graph/bind.ts";
import { prune, valueOf } from "./graph/graph.ts";
import { OVERFLOW } from "./graph/updates.ts";
import type { Device } from "./gpu/device.ts";
import type { Tensor, Tensors } from "./tensor/tensor.ts";
import { startFrom, type Values } from "./trainable.ts";
import { Trainer } from "./trainer.ts";

export interface FailedStep {
  readonly epoch: number;
  readonly step: number;
  readonly loss: number;
  /** The step of the last checkpoint, where there is one. */
  readonly checkpoint: number | undefined;
}

/** What is not finite, or so large that it counts as that, in `value`, in words. */
export function wrongIn(value: Tensor | undefined): string | undefined {
  return first(value, (x) => !(Math.abs(x) < OVERFLOW));
}

function first(value: Tensor | undefined, isWrong: (x: number) => boolean): string | undefined {
  if (!(value?.data instanceof Float32Array)) return undefined;
  const at = value.data.findIndex(isWrong);
  return at < 0 ? undefined : `${value.data[at]} at index ${at}`;
}

export type Named = readonly [where: string, value: Tensor | undefined];

const notFinite = (value: Tensor | undefined) => first(value, (x) => !Number.isFinite(x));

function firstOf(values: readonly Named[], wrong: typeof wrongIn) {
  for (const [where, value] of values) {
    const found = wrong(value);
    if (found) return [where, found] as const;
  }
  return undefined;
}

/** The first of `values` that is not finite and what is wrong with it; only where all are, the first that is too
 *  large: masks of −3.4e38 are meant. */
export function firstWrong(values: readonly Named[]): readonly [string, string] | undefined {
  return firstOf(values, notFinite) ?? firstOf(values, wrongIn);
}

/** The error of a step of `graph` whose loss is not finite: it names the first input, parameter or layer that is
 *  not. `variables` are as the step left them. */
export async function failureOf(
  graph: BoundGraph,
  variables: Values,
  inputs: Tensors,
  device: Device,
  failed: FailedStep,
): Promise<TrainingError> {
  const given = Object.entries(inputs).map(([name, value]): Named => [`input "${name}"`, value]);
  const broken = firstOf(given, notFinite);
  if (broken) return new TrainingError(failed, ...broken);
  const end = graph.nodes.findIndex(({ outputs }) => outputs.includes(graph.outputs[0] ?? ""));
  const forward = graph.nodes.slice(0, end + 1).filter(({ outputs }) => outputs.length > 0);
  const named = forward.flatMap((node) => node.outputs.map((name) => ({ node, name })));
  const outputs = named
    .filter(({ name }) => valueOf(graph, name).dtype === "float32")
    .map(({ name }) => name);
  const looked = startFrom({ ...graph, nodes: forward, outputs }, variables);
  const seen = await valuesOf(prune(looked) as BoundGraph, inputs, device);
  const layers = named.map(({ node, name }): Named => [
    `layer ${node.op} "${node.name}"`,
    seen[name],
  ]);
  const learnt = [...variables].map(([name, value]): Named => [`variable "${name}"`, value]);
  const found = firstWrong([...layers, ...learnt, ...given]) ?? ["the loss", String(failed.loss)];
  return new TrainingError(failed, ...found);
}

/** The outputs of `graph`; none where there is no room for all of them at once. */
async function valuesOf(graph: BoundGraph, inputs: Tensors, device: Device): Promise<Tensors> {
  try {
    using trainer = await Trainer.create(graph, device);
    return await trainer.step(inputs);
  } catch (error) {
    if (error instanceof GpuError) return {};
    throw error;
  }
}
