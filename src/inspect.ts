// inspect: what a model is made of, and what would be quantized.

import { smallestDims, symbolicDims } from "./compile.ts";
import { bindShapes } from "./graph/bind.ts";
import { isInteger, macsOf } from "./graph/macs.ts";
import type { Node } from "./graph/node.ts";
import { checkStage, type Model, type PortType } from "./model.ts";
import { annotate, whyFloat, whyLeft } from "./quantize/annotate.ts";
import type { LeftFloat } from "./quantize/fineValues.ts";
import { fuse } from "./quantize/fuse.ts";
import { Pairs, whyNotInteger } from "./quantize/pairs.ts";
import { qconfigs } from "./quantize/presets.ts";
import { sizeOf } from "./tensor/tensor.ts";

export interface Inspection {
  readonly stage: string;
  readonly inputs: Readonly<Record<string, PortType>>;
  readonly outputs: Readonly<Record<string, PortType>>;
  /** Op → number of nodes, as in the file. */
  readonly ops: Readonly<Record<string, number>>;
  /** Elements of all constants, and their bytes. */
  readonly parameters: number;
  readonly parameterBytes: number;
  /** Multiply-accumulates of one sample, and the share (0 … 1) that is done, or would be, in integers. */
  readonly macs: number;
  readonly integerMacShare: number;
  /** Nodes after fusion, by the names that overrides take, and what they run or would run in. */
  readonly nodes: readonly {
    readonly name: string;
    readonly op: string;
    readonly dtype: "integer" | "float";
  }[];
  /** Nodes after fusion that stay float, and why. */
  readonly float: readonly { readonly node: string; readonly op: string; readonly why: string }[];
}

/** Describe `model`; open sizes count as 1, or as the least of 2, 16 and 128 where the model needs more. */
export function inspect(model: Model<"float" | "quantized">): Inspection {
  checkStage("inspect", model, ["float", "quantized"], "Convert the model first.");
  const ops: Record<string, number> = {};
  for (const { op } of model.graph.nodes) ops[op] = (ops[op] ?? 0) + 1;
  const fused = model.stage === "float" ? fuse(model.graph) : model.graph;
  const bound = bindShapes(fused, smallestDims(fused, symbolicDims(fused)));
  const assignment = model.stage === "float" ? annotate(fused, qconfigs.int8) : undefined;
  const { left = [] } = model.details as { readonly left?: readonly LeftFloat[] };
  const reasons = new Map(left.map(({ node, reason }) => [node, reason]));
  const pairs = new Pairs(fused);
  const why = (node: Node) =>
    reasons.get(node.name) ??
    (assignment
      ? (whyFloat(fused, node) ?? whyLeft(fused, node))
      : (whyNotInteger(pairs, node) ?? "its neighbours are float"));
  let [macs, integerMacs] = [0, 0];
  const nodes: { name: string; op: string; dtype: "integer" | "float" }[] = [];
  const float: { node: string; op: string; why: string }[] = [];
  for (const node of bound.nodes) {
    const work = macsOf(bound, node);
    const integer = assignment
      ? (assignment.get(node.name) ?? null) !== null
      : isInteger(bound, node);
    const isBorder = node.op === "Quantize" || node.op === "Dequantize";
    if (!isBorder)
      nodes.push({ name: node.name, op: node.op, dtype: integer ? "integer" : "float" });
    macs += work;
    if (integer) integerMacs += work;
    else if (!isBorder) {
      float.push({
        node: node.name,
        op: node.op,
        why: why(node),
      });
    }
  }
  const constants = [...model.graph.constants.values()];
  return {
    stage: model.stage,
    inputs: model.inputs,
    outputs: model.outputs,
    ops,
    parameters: constants.reduce((sum, { shape }) => sum + sizeOf(shape), 0),
    parameterBytes: constants.reduce((sum, { data }) => sum + data.byteLength, 0),
    macs,
    integerMacShare: macs === 0 ? 0 : integerMacs / macs,
    nodes,
    float,
  };
}
