// A model: an immutable graph, and where it is on its way from float to int8. Every verb takes one and
// returns another; the stage is a type, so a verb that comes too early does not compile.

import { InputError, StageError } from "./errors.ts";
import { kindOf } from "./text/names.ts";
import { valueOf, type Graph } from "./graph/graph.ts";
import { printGraph } from "./graph/print.ts";
import type { Dim } from "./graph/value.ts";
import type { Assignment } from "./quantize/annotate.ts";
import type { Calibration } from "./quantize/calibration.ts";
import type { LeftFloat } from "./quantize/fineValues.ts";
import type { Qat } from "./quantize/qat/model.ts";
import type { DType } from "./tensor/dtype.ts";

export type Stage = "float" | "prepared" | "calibrated" | "qat" | "quantized";

/** A named port of a model. */
export interface PortType {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
}

/** What a stage carries beside its graph. */
interface Details {
  readonly float: object;
  /** `fused` is the graph without observers. */
  readonly prepared: {
    readonly fused: Graph;
    readonly assignment: Assignment;
    /** Nodes that an override asks to run in integers. */
    readonly asked?: ReadonlySet<string>;
  };
  readonly calibrated: {
    readonly fused: Graph;
    readonly assignment: Assignment;
    readonly calibration: Calibration;
    /** Nodes that stay float by what calibration saw. */
    readonly left?: readonly LeftFloat[];
  };
  /** What is trained, and its structure. */
  readonly qat: Qat;
  /** `left`: nodes that could run in integers, or that quantizeDynamic was asked for, and that stay float. */
  readonly quantized: { readonly left?: readonly LeftFloat[] };
}

export class Model<S extends Stage = Stage> {
  readonly stage: S;
  readonly graph: Graph;
  readonly details: Details[S];

  constructor(stage: S, graph: Graph, details: Details[S]) {
    this.stage = stage;
    this.graph = graph;
    this.details = details;
  }

  get inputs(): Readonly<Record<string, PortType>> {
    return ports(this.graph, this.graph.inputs);
  }

  get outputs(): Readonly<Record<string, PortType>> {
    return ports(this.graph, this.graph.outputs);
  }

  /** One line per node, for logs and snapshots. */
  toString(): string {
    const { left = [] } = this.details as Details["quantized"];
    const lines = left.map(({ node, op, reason }) => `  float: ${op} "${node}": ${reason}`);
    return [printGraph(this.graph), ...lines].join("\n");
  }
}

function ports(graph: Graph, names: readonly string[]): Readonly<Record<string, PortType>> {
  const entries = names.map((name) => {
    const { dtype, shape } = valueOf(graph, name);
    return [name, { dtype, shape }] as const;
  });
  return Object.fromEntries(entries);
}

/** Throws StageError unless `model` is at one of `stages`, InputError where it is none: TypeScript refuses it, JavaScript does not. */
export function checkStage<S extends Stage>(
  verb: string,
  model: Model,
  stages: readonly S[],
  wayOut: string,
): asserts model is Model<S> {
  if (typeof (model as Model | undefined)?.stage !== "string") {
    throw new InputError(
      `${verb}: the model must be one of load or of another verb; got ${kindOf(model)}. ` +
        "Load it first: const model = await load(bytes).",
    );
  }
  if ((stages as readonly string[]).includes(model.stage)) return;
  throw new StageError(
    `${verb}: the model must be ${stages.join(" or ")}; got ${model.stage}. ${wayOut}`,
  );
}
