// Integer graphs in a form that other runtimes' kernels take: CPUs without 8-bit dot products add pairs of
// products in int16, which saturate with uint8 activations and 8-bit weights.

import { GraphBuilder } from "../graph/builder.ts";
import { consumersOf, prune, valueOf, type Graph } from "../graph/graph.ts";
import type { Node } from "../graph/node.ts";
import type { QParams } from "../graph/value.ts";
import { clamp, rint } from "../tensor/rounding.ts";
import { stridesOf, type Tensor } from "../tensor/tensor.ts";
import { hasWeight } from "./annotate.ts";

/**
 * `graph` with signed activations (S8S8): q, its zero point and its range less 128. Every difference q − z
 * stays, so the graph computes the same integers, moved: docs/quantization.md (27). Inputs and outputs of the
 * graph, and bytes that a Cast reads as such, keep their type.
 */
export function signActivations(graph: Graph): Graph {
  return moved(graph, "uint8", () => true);
}

/**
 * `graph` with unsigned activations and weights (U8U8): int8 values plus 128, the same differences q − z by
 * (27). ONNX Runtime's kernels for uint8 by uint8 are exact on every CPU; those for uint8 by int8 add pairs of
 * products in saturating int16 where the CPU has no 8-bit dot product. Weights within ±64 cannot saturate and
 * stay int8, as do those that products read in float.
 */
export function unsignProducts(graph: Graph): Graph {
  const readers = consumersOf(graph);
  return moved(graph, "int8", (name) => {
    const data = graph.constants.get(name);
    if (!data) return true;
    return (readers.get(name) ?? []).some((node) => {
      if (isProductWeight(graph, node, name)) return isWide(data);
      return valueOf(graph, node.outputs[0] ?? name).quant !== undefined;
    });
  });
}

/** Whether `node` multiplies bytes by `name`, its weight. */
function isProductWeight(graph: Graph, node: Node, name: string): boolean {
  if (node.op === "MatMulIntegerToFloat") return node.inputs[1] === name;
  if (node.op === "LSTM") return node.dynamic !== undefined && node.inputs.indexOf(name) > 0;
  return hasWeight(node) && node.inputs[1] === name && isQuantized(graph, node.inputs[0]);
}

const isQuantized = ({ values }: Graph, name = "") => values.get(name)?.quant !== undefined;

/** Whether two products of `weight` with bytes may leave int16. */
const isWide = ({ data }: Tensor) => (data as Int8Array).some((q) => Math.abs(q) > REDUCED);

/** `graph` with the quantized values of type `from` that `takes` chooses in the other 8-bit type. */
function moved(graph: Graph, from: "int8" | "uint8", takes: (name: string) => boolean): Graph {
  const kept = new Set([...graph.inputs, ...graph.outputs]);
  for (const node of graph.nodes) {
    if (node.op === "Cast") for (const name of [...node.inputs, ...node.outputs]) kept.add(name);
  }
  const values = new Map(graph.values);
  const constants = new Map(graph.constants);
  const [to, by] = from === "uint8" ? (["int8", -128] as const) : (["uint8", 128] as const);
  for (const [name, value] of graph.values) {
    const { quant } = value;
    if (quant?.dtype !== from || quant.blockSize !== undefined) continue;
    if (kept.has(name) || !takes(name)) continue;
    values.set(name, { ...value, dtype: to, quant: movedQuant(quant, to, by) });
    const data = constants.get(name);
    if (!data) continue;
    const codes = Int16Array.from(data.data as Int8Array | Uint8Array, (q) => q + by);
    const bytes = to === "int8" ? Int8Array.from(codes) : Uint8Array.from(codes);
    constants.set(name, { dtype: to, shape: data.shape, data: bytes } as Tensor);
  }
  return { ...graph, values, constants };
}

function movedQuant(quant: QParams, dtype: "int8" | "uint8", by: number): QParams {
  const { qmin, qmax, ...rest } = quant;
  return {
    ...rest,
    dtype,
    zeroPoint: quant.zeroPoint.map((z) => z + by),
    ...(qmin === undefined ? {} : { qmin: qmin + by }),
    ...(qmax === undefined ? {} : { qmax: qmax + by }),
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
