// smoothQuant: a float model whose activations quantize better, and what it gained. One idea: the graph
// computes the same, so the gain is measured by quantizing both dynamically and comparing with the float one.

import { checkBatches, checkDeviceOption } from "./callerChecks.ts";
import type { CalibrationProgress } from "./calibrateOptions.ts";
import { compile } from "./compile.ts";
import { InputError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import type { Node } from "./graph/node.ts";
import { ErrorSum, median } from "./metrics.ts";
import { checkStage, Model } from "./model.ts";
import { observe } from "./observe.ts";
import type { Statistics } from "./quantize/observers.ts";
import {
  findGroups,
  smooth,
  smoothingOf,
  weightMaxima,
  type SmoothGroup,
} from "./quantize/smooth.ts";
import { quantizeDynamic, type QuantizeDynamicOptions } from "./quantizeDynamic.ts";
import type { Batches } from "./samples.ts";
import { selfTest } from "./selfTest.ts";
import type { Tensors } from "./tensor/tensor.ts";

export interface SmoothQuantOptions {
  readonly device: Device;
  /** How much of the activation's range goes to the weights, 0 … 1. Default: 0.5, the paper's. */
  readonly alpha?: number;
  /** Where no node before can divide the activation, insert a Mul that does: it costs a dispatch a run.
   *  Default: false, such an activation is left. */
  readonly insert?: boolean;
  /** How the two models of the report are quantized. */
  readonly quantize?: QuantizeDynamicOptions;
  /** Samples that the report is measured on; 0 measures nothing. Default: 8. */
  readonly measured?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly samples: number; readonly total?: number }) => void;
  readonly total?: number;
}

/** Linear layers that share an activation, and what was done about it. */
export interface SmoothedGroup {
  readonly value: string;
  /** Names of the layers. */
  readonly layers: readonly string[];
  /** The node that divides the activation now: `LayerNormalization "/norm"`, or a Mul of its own. */
  readonly into: string;
  /** Greatest channel maximum over the median one, before and after. */
  readonly outliers: { readonly before: number; readonly after: number };
}

export interface SmoothQuantReport {
  readonly alpha: number;
  readonly samples: number;
  readonly groups: readonly SmoothedGroup[];
  /** Activations that stay as they are. */
  readonly left: readonly {
    readonly value: string;
    readonly layers: readonly string[];
    readonly reason: string;
  }[];
  /** SQNR of the outputs to the float model's, dB: of the dynamically quantized model without smoothing and
   *  with it, and of the smoothed float model. Absent where nothing was measured. */
  readonly beforeDb?: number;
  readonly afterDb?: number;
  readonly floatDb?: number;
}

/** Smooth `model` by the channel maxima of `samples`, a few batches of its inputs: docs/decisions/0016. Throws
 *  InputError for an alpha outside 0 … 1 and for no samples, NonFiniteError naming tensor and batch. */
export async function smoothQuant(
  model: Model<"float">,
  samples: Batches,
  options: SmoothQuantOptions,
): Promise<{ readonly model: Model<"float">; readonly report: SmoothQuantReport }> {
  checkStage("smoothQuant", model, ["float"], "Give it the model as loaded.");
  checkBatches("smoothQuant", samples);
  checkDeviceOption("smoothQuant", options);
  const { device, alpha = 0.5, insert = false, measured = 8, signal, onProgress, total } = options;
  if (!(alpha >= 0 && alpha <= 1)) {
    throw new InputError(
      `smoothQuant: alpha must be from 0 to 1; got ${alpha}. 0.5 suits most models.`,
    );
  }
  const { graph } = model;
  const all = findGroups(graph).map((group) => within(graph, group, insert));
  if (all.length === 0) {
    throw new InputError(
      "smoothQuant: the model must have linear layers of constant weights; got none. Quantize it without smoothing.",
    );
  }
  const chosen = all.filter(({ reason }) => reason === undefined).map(({ group }) => group);
  const left = all.flatMap(({ group: { value, layers }, reason }) =>
    reason === undefined ? [] : [{ value, layers: layers.map(({ name }) => name), reason }],
  );
  await selfTest(device);
  const observed = await observe(
    withObservers(graph, chosen),
    samples,
    measured,
    {
      device,
      ...(signal ? { signal } : {}),
      ...(total === undefined ? {} : { total }),
      onProgress: ({ samples: done, total: of }: CalibrationProgress) =>
        onProgress?.({ samples: done, ...(of === undefined ? {} : { total: of }) }),
    },
    "smoothQuant",
  );
  const smoothed = chosen.map((group) => {
    const activation = maximaOf(observed.statistics.get(group.value), group);
    const s = smoothingOf(activation, weightMaxima(graph, group), alpha);
    return { group, s, activation };
  });
  const after = new Model("float", smooth(graph, smoothed), {});
  const groups = smoothed.map(({ group: { value, layers, fold }, s, activation }) => {
    const last = fold?.at(-1)?.node;
    return {
      value,
      layers: layers.map(({ name }) => name),
      into: last ? `${last.op} "${last.name}"` : "Mul of its own",
      outliers: {
        before: spreadOf(activation),
        after: spreadOf(activation.map((x, channel) => x / (s[channel] ?? 1))),
      },
    };
  });
  const figures =
    observed.kept.length > 0 ? await measure(model, after, observed.kept, options) : {};
  return { model: after, report: { alpha, samples: observed.samples, groups, left, ...figures } };
}

/** Why a group is left, if it is. */
function within(graph: Graph, group: SmoothGroup, insert: boolean) {
  const { fold, reason } = group;
  const axes = valueOf(graph, group.value).shape.length;
  // Four axes lie with the second one last (docs/architecture.md), and observers watch the last.
  if (axes === 4) return { group, reason: "it has four axes" };
  return { group, reason: fold || insert ? undefined : reason };
}

function withObservers(graph: Graph, groups: readonly SmoothGroup[]): Graph {
  const observers = groups.map(({ value }): Node => {
    const axis = valueOf(graph, value).shape.length - 1;
    const observer = { kind: "perChannelMinMax", axis } as const;
    return { op: "Observe", name: `observe ${value}`, inputs: [value], outputs: [], observer };
  });
  return { ...graph, nodes: [...graph.nodes, ...observers] };
}

/** max |X_j|, one a channel. */
function maximaOf(statistics: Statistics | undefined, { channels }: SmoothGroup): Float32Array {
  const maxima = new Float32Array(channels);
  if (statistics === undefined || statistics.kind === "histogram") return maxima;
  const { min, max } = statistics;
  return maxima.map((_, c) => Math.max(Math.abs(min[c] ?? 0), Math.abs(max[c] ?? 0)));
}

/** The greatest of the maxima over the median one. */
function spreadOf(maxima: Float32Array): number {
  return Math.max(...maxima) / median([...maxima]);
}

async function measure(
  float: Model<"float">,
  smoothed: Model<"float">,
  kept: readonly Tensors[],
  { device, quantize, signal }: SmoothQuantOptions,
) {
  const run = async (model: Model<"float" | "quantized">): Promise<Tensors[]> => {
    using session = await compile(model, device);
    const outputs: Tensors[] = [];
    for (const inputs of kept) outputs.push(await session.run(inputs, signal ? { signal } : {}));
    return outputs;
  };
  const expected = await run(float);
  const against = async (model: Model<"float" | "quantized">): Promise<number> => {
    const error = new ErrorSum();
    (await run(model)).forEach((outputs, index) => {
      for (const [name, { data }] of Object.entries(outputs)) {
        const reference = expected[index]?.[name]?.data;
        if (data instanceof Float32Array && reference instanceof Float32Array)
          error.add(reference, data);
      }
    });
    return error.sqnrDb;
  };
  return {
    beforeDb: await against(quantizeDynamic(float, quantize)),
    afterDb: await against(quantizeDynamic(smoothed, quantize)),
    floatDb: await against(smoothed),
  };
}
