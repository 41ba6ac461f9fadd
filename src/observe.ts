// The first phase of calibrate: every batch through the observed graph, its statistics merged on the
// host (decision 0003). One idea: a batch's statistics are merged while the next batch runs.

import { InputError, NonFiniteError } from "./errors.ts";
import type { CalibrateOptions } from "./calibrateOptions.ts";
import { checkInputs } from "./graph/finite.ts";
import { producersOf, prune, type Graph } from "./graph/graph.ts";
import type { Observe } from "./graph/node.ts";
import type { Program, StateBytes } from "./gpu/program.ts";
import { addBatch, emptyStatistics, type Statistics } from "./quantize/observers.ts";
import { batchSize, Reservoir, type Batches } from "./samples.ts";
import { Session } from "./session.ts";
import { readSlot, runningRange } from "./statistics.ts";
import { nonFiniteOf } from "./tensor/finite.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** What the observers of a graph saw. */
export interface Observed {
  /** By value. */
  readonly statistics: ReadonlyMap<string, Statistics>;
  readonly samples: number;
  /** About as many samples as were wanted, in batches. */
  readonly kept: readonly Tensors[];
}

/** A batch whose statistics are on the host and not yet merged. */
interface Pending {
  readonly index: number;
  readonly inputs: Tensors;
  readonly size: number;
  readonly states: readonly StateBytes[];
}

/** Run `data` through `graph`, keeping `wanted` samples. Throws as calibrate does, in the name of `verb`. */
export async function observe(
  graph: Graph,
  data: Batches,
  wanted: number,
  options: CalibrateOptions,
  verb = "calibrate",
): Promise<Observed> {
  const { device, signal, onProgress, total } = options;
  const observers = new Map(
    graph.nodes
      .filter((node): node is Observe => node.op === "Observe")
      .map((node) => [node.name, node]),
  );
  const statistics = new Map<string, Statistics>();
  for (const node of observers.values())
    statistics.set(node.inputs[0] ?? "", emptyStatistics(node.observer));
  let reservoir: Reservoir | undefined;
  let samples = 0;
  let batch = 0;
  let current: Program | undefined;
  let pending: Pending | undefined;

  const merge = async (): Promise<void> => {
    if (!pending) return;
    const { index, inputs, size, states } = pending;
    pending = undefined;
    for (const { slot, bytes } of states) {
      const node = observers.get(slot.node);
      const before = statistics.get(slot.value);
      if (!node || !before) continue;
      const seen = readSlot(node, slot.shape, bytes);
      if (seen === "non-finite")
        throw await locate(graph, slot.value, inputs, index, options, verb);
      if (seen) statistics.set(slot.value, addBatch(before, seen));
    }
    samples += size;
    onProgress?.({ phase: "observe", samples, ...(total === undefined ? {} : { total }) });
  };

  using session = new Session(graph, device);
  for await (const inputs of data) {
    signal?.throwIfAborted();
    const size = batchSize(graph, inputs);
    reservoir ??= new Reservoir(Math.ceil(wanted / Math.max(1, size)));
    if (wanted > 0) reservoir.add(inputs);
    const program = await session.program(inputs);
    if (program !== current) {
      await merge();
      carryRanges(program, statistics);
    }
    current = program;
    const index = batch++;
    const states = await program.runStates(new Map(Object.entries(inputs)), signal, async () => {
      await merge();
      checkInputs(graph, inputs, { verb, batch: index }, options.nonFinite);
    });
    pending = { index, inputs, size, states };
  }
  await merge();
  if (batch === 0) {
    throw new InputError(
      `${verb}: data must hold at least one batch; got none. Check the data source.`,
    );
  }
  return { statistics, samples, kept: reservoir?.kept ?? [] };
}

/** A program for another batch size starts with the range that the others have seen. */
function carryRanges(program: Program, statistics: ReadonlyMap<string, Statistics>): void {
  for (const slot of program.plan.states) {
    const seen = statistics.get(slot.value);
    if (seen?.kind !== "histogram" || seen.batches === 0) continue;
    const { offset, data } = runningRange(seen.min, seen.max);
    program.writeState(slot, offset, data);
  }
}

/** What is wrong with `value`: the GPU only tells that something is, so the batch runs once more, up to
 *  there. */
async function locate(
  graph: Graph,
  value: string,
  inputs: Tensors,
  batch: number,
  { device, signal }: CalibrateOptions,
  verb: string,
): Promise<Error> {
  const nodes = graph.nodes.filter(({ outputs }) => outputs.length > 0);
  using session = new Session(prune({ ...graph, nodes, outputs: [value] }), device);
  const outputs = await session.run(inputs, { nonFinite: "allow", ...(signal ? { signal } : {}) });
  const found = nonFiniteOf(outputs[value]);
  if (!found)
    return new Error(`${verb}: batch ${batch}, "${value}" was not finite; please report.`);
  const kind = graph.inputs.includes(value) ? "input" : "value";
  return new NonFiniteError(verb, { ...found, tensor: value, kind, batch }, [
    "Check the preprocessing of that batch and the model's weights",
    `leave what makes it float: overrides: { "${producersOf(graph).get(value)?.name ?? value}": null }`,
  ]);
}
