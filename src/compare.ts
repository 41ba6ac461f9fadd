// compare: where quantization loses. The float model and the quantized one run side by side in one
// graph, and the error of every value that both have is summed on the GPU.

import { checkBatches, checkDeviceOption } from "./callerChecks.ts";
import { widenConstants } from "./graph/weightOnly.ts";
import { InputError } from "./errors.ts";
import { checkInputs as checkFinite, type NonFiniteRule } from "./graph/finite.ts";
import { GraphBuilder } from "./graph/builder.ts";
import { producersOf, valueOf, type Graph } from "./graph/graph.ts";
import type { Node } from "./graph/node.ts";
import { withPrefix } from "./graph/rename.ts";
import type { Device } from "./gpu/device.ts";
import { checkStage, type Model } from "./model.ts";
import { fuse } from "./quantize/fuse.ts";
import { batchSize, type Batches } from "./samples.ts";
import { selfTest } from "./selfTest.ts";
import { Session } from "./session.ts";

/** The error of one value of the quantized model. */
export interface LayerError {
  /** The node that makes it, its op, and the value's name. */
  readonly node: string;
  readonly op: string;
  readonly value: string;
  /** The quantized model's dtype of it. */
  readonly dtype: string;
  /** 10 · log10(Σ x² / Σ (x − x̂)²), docs/quantization.md (42); ∞ where nothing differs. */
  readonly sqnrDb: number;
}

export interface CompareOptions {
  readonly device: Device;
  readonly signal?: AbortSignal;
  /** Inputs with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" compares what comes of them. */
  readonly nonFinite?: NonFiniteRule;
  readonly onProgress?: (progress: { readonly samples: number; readonly total?: number }) => void;
  readonly total?: number;
}

const TWIN = "quantized/";

/** Both models in one graph, with a Compare node behind every value that both have. */
function sideBySide(float: Graph, quantized: Graph): { graph: Graph; values: Map<string, string> } {
  const twin = withPrefix(quantized, TWIN);
  const values = new Map<string, string>();
  const builder = new GraphBuilder();
  for (const name of float.inputs) builder.input(name, valueOf(float, name));
  for (const graph of [float, twin]) {
    for (const [name, data] of graph.constants)
      builder.constant(name, data, valueOf(graph, name).quant);
  }
  for (const graph of [float, twin]) {
    for (const node of graph.nodes) {
      const { dtype, quant } = valueOf(graph, node.outputs[0] ?? node.inputs[0] ?? "");
      builder.add(node, { dtype, ...(quant ? { quant } : {}) });
    }
  }
  for (const value of float.nodes.flatMap(({ outputs }) => outputs)) {
    const other = twin.values.get(TWIN + value);
    if (!other || valueOf(float, value).dtype !== "float32") continue;
    let reals = TWIN + value;
    if (other.quant) {
      const inputs = [reals];
      reals = builder.fresh(`${reals}_real`);
      builder.add(
        { op: "Dequantize", name: `dequantize ${value}`, inputs, outputs: [reals] },
        { dtype: "float32" },
      );
    }
    values.set(`compare ${value}`, value);
    builder.add({ op: "Compare", name: `compare ${value}`, inputs: [value, reals], outputs: [] });
  }
  return { graph: builder.build("compare", float.inputs, []), values };
}

/** SQNR of every value that both models have, worst first, over `data`. */
export async function compare(
  float: Model<"float" | "quantized">,
  quantized: Model<"float" | "quantized">,
  data: Batches,
  options: CompareOptions,
): Promise<LayerError[]> {
  checkStage("compare", float, ["float"], "Pass the float model first.");
  checkStage("compare", quantized, ["quantized"], "Pass the quantized model second.");
  checkBatches("compare", data);
  checkDeviceOption("compare", options);
  const { device, signal, onProgress, total } = options;
  await selfTest(device);
  const fused = fuse(widenConstants(float.graph, true));
  checkInputs(fused, quantized.graph);
  const { graph, values } = sideBySide(fused, quantized.graph);
  const sums = new Map<string, { signal: number; noise: number }>();
  let samples = 0;
  let batch = 0;
  using session = new Session(graph, device);
  for await (const inputs of data) {
    signal?.throwIfAborted();
    checkFinite(float.graph, inputs, { verb: "compare", batch: batch++ }, options.nonFinite);
    const program = await session.program(inputs);
    for (const { slot, bytes } of await program.runStates(
      new Map(Object.entries(inputs)),
      signal,
    )) {
      const sum = sums.get(slot.node) ?? { signal: 0, noise: 0 };
      const partial = new Float32Array(bytes);
      for (let at = 0; at + 1 < slot.words; at += 2) {
        sum.signal += partial[at] ?? 0;
        sum.noise += partial[at + 1] ?? 0;
      }
      sums.set(slot.node, sum);
    }
    samples += batchSize(graph, inputs);
    onProgress?.({ samples, ...(total === undefined ? {} : { total }) });
  }
  if (samples === 0) {
    throw new InputError(
      "compare: data must hold at least one batch; got none. Check the data source.",
    );
  }
  const producers = producersOf(fused);
  const made = producersOf(quantized.graph);
  return [...values]
    .map(([node, value]): LayerError => {
      const sum = sums.get(node) ?? { signal: 0, noise: 0 };
      const producer = producers.get(value);
      return {
        node: producer?.name ?? value,
        op: producer?.op ?? "",
        value,
        dtype: computedDtype(quantized.graph, made, value),
        sqnrDb: decibels(sum.signal, sum.noise),
      };
    })
    .sort((a, b) => a.sqnrDb - b.sqnrDb);
}

/** The dtype `value` was computed in: a dequantized value stands for the integers behind it. */
function computedDtype(graph: Graph, producers: Map<string, Node>, value: string): string {
  const producer = producers.get(value);
  const source = producer?.op === "Dequantize" ? (producer.inputs[0] ?? value) : value;
  return valueOf(graph, source).dtype;
}

/** 10 · log10(signal / noise): docs/quantization.md (42). */
export function decibels(signal: number, noise: number): number {
  return noise === 0 ? Infinity : 10 * Math.log10(signal / noise);
}

function checkInputs(float: Graph, quantized: Graph): void {
  if (float.inputs.join() === quantized.inputs.join()) return;
  throw new InputError(
    `compare: both models must have the same inputs; got ${float.inputs.join(", ")} and ` +
      `${quantized.inputs.join(", ")}. Compare a model with its own quantized form.`,
  );
}
