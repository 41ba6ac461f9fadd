// Integer graphs in a form that other runtimes' kernels take: CPUs without 8-bit dot products add pairs of
// products in int16, which saturate with uint8 activations and 8-bit weights.

import { GraphBuilder } from "../graph/builder.ts";
import { prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { clamp, rint } from "../tensor/rounding.ts";
import { stridesOf, tensor, type Tensor } from "../tensor/tensor.ts";
import { hasWeight } from "./annotate.ts";

/**
 * `graph` with signed activations (S8S8): q, its zero point and its range less 128. Every difference q − z
 * stays, so the graph computes the same integers, moved: docs/quantization.md (27). Inputs and outputs of the
 * graph, and bytes that a Cast reads as such, keep their type.
 */
export function signActivations(graph: Graph): Graph {
  const kept = new Set([...graph.inputs, ...graph.outputs]);
  for (const node of graph.nodes) {
    if (node.op === "Cast") for (const name of [...node.inputs, ...node.outputs]) kept.add(name);
  }
  const values = new Map(graph.values);
  const constants = new Map(graph.constants);
  for (const [name, value] of graph.values) {
    const { quant } = value;
    if (quant?.dtype !== "uint8" || kept.has(name)) continue;
    values.set(name, { ...value, dtype: "int8", quant: signed(quant) });
    const data = constants.get(name);
    if (data) {
      const moved = Int8Array.from(data.data as Uint8Array, (q) => q - 128);
      constants.set(name, tensor("int8", data.shape, moved));
    }
  }
  return { ...graph, values, constants };
}

function signed(quant: QParams): QParams {
  const { qmin, qmax, ...rest } = quant;
  return {
    ...rest,
    dtype: "int8",
    zeroPoint: quant.zeroPoint.map((z) => z - 128),
    ...(qmin === undefined ? {} : { qmin: qmin - 128 }),
    ...(qmax === undefined ? {} : { qmax: qmax - 128 }),
  };
}

/** Greatest magnitude of a reduced weight: two products with a uint8 stay within int16. */
const REDUCED = 64;

/**
 * `graph` with weights of 7 bits, −64 … 64: where a channel has greater ones, q ← rint(q / 2) under twice its
 * scale, and its int32 bias likewise. Other numbers, by at most half a step of the new scale for each weight:
 * a float model loses less by calibrating with a qconfig whose weight has qmin −64 and qmax 63.
 */
export function reduceWeights(graph: Graph): Graph {
  const builder = GraphBuilder.from(graph);
  for (const node of graph.nodes) {
    const [x = "", weightName = "", biasName] = node.inputs;
    const weight = graph.constants.get(weightName);
    const { quant } = graph.values.get(weightName) ?? {};
    const type = valueOf(graph, node.outputs[0] ?? x);
    const add = (inputs: readonly string[]) =>
      builder.add({ ...node, inputs } as Node, {
        dtype: type.dtype,
        ...(type.quant ? { quant: type.quant } : {}),
      });
    if (!hasWeight(node) || !weight || quant?.dtype !== "int8") {
      add(node.inputs);
      continue;
    }
    const factors = factorsOf(weight, quant);
    const halve = (data: Tensor, from: QParams, name: string): string => {
      const channelOf = channels(data, from);
      const halved = (data.data as Int8Array | Int32Array).map((q, at) => {
        const factor = factors[factors.length === 1 ? 0 : channelOf(at)] ?? 1;
        const reduced = rint(q / factor);
        return data.dtype === "int8" ? clamp(reduced, -REDUCED, REDUCED) : reduced;
      });
      const scale = from.scale.map((s, c) => s * (factors[factors.length === 1 ? 0 : c] ?? 1));
      return builder.constant(builder.fresh(name), { ...data, data: halved } as Tensor, {
        ...from,
        scale,
      });
    };
    const inputs = [x, halve(weight, quant, `${weightName}_reduced`)];
    const bias = graph.constants.get(biasName ?? "");
    const steps = graph.values.get(biasName ?? "")?.quant;
    if (biasName !== undefined) {
      const isInteger = bias?.dtype === "int32" && steps;
      inputs.push(isInteger ? halve(bias, steps, `${biasName}_reduced`) : biasName);
    }
    add(inputs);
  }
  return prune(builder.build(graph.name, graph.inputs, graph.outputs));
}

/** 2 for each scale some of whose weights are out of the reduced range, else 1. */
function factorsOf(weight: Tensor, quant: QParams): number[] {
  const factors = Array.from(quant.scale, () => 1);
  const channelOf = channels(weight, quant);
  (weight.data as Int8Array).forEach((q, at) => {
    if (Math.abs(q) > REDUCED) factors[channelOf(at)] = 2;
  });
  return factors;
}

/** Index of the scale of an element. */
function channels({ shape }: Tensor, { axis, scale }: QParams): (at: number) => number {
  if (axis === undefined) return () => 0;
  const stride = stridesOf(shape)[axis] ?? 1;
  return (at) => Math.floor(at / stride) % scale.length;
}
