// LSTM and GRU → ONNX: what `roles` names goes to its place among the optional inputs.

import { valueOf, type Graph } from "../../graph/graph.ts";
import type { NodeOf } from "../../graph/node.ts";
import {
  activationsOf,
  directionsOf,
  ofRow,
  recurrentActivations,
  recurrentRoles,
  roleIndex,
} from "../../graph/recurrent.ts";
import { float32, tensor, type Tensor } from "../../tensor/tensor.ts";
import { float, int, type Attributes, type Draft } from "./draft.ts";

/** Inputs by ONNX's places, "" where one is absent. */
export function inputsByPlace(node: NodeOf<"LSTM" | "GRU">): string[] {
  const optional = recurrentRoles.map((role) => node.inputs[roleIndex(node, role) ?? -1] ?? "");
  const last = optional.findLastIndex((name) => name !== "");
  return [...node.inputs.slice(0, 3), ...optional.slice(0, last + 1)];
}

/** The attributes that LSTM, GRU and DynamicQuantizeLSTM share. */
export function recurrentAttributes(node: NodeOf<"LSTM" | "GRU">): Attributes {
  const found = Array.from({ length: directionsOf(node) }, (_, d) => activationsOf(node, d)).flat();
  const takes = (what: "alpha" | "beta") =>
    found.filter((each) => what in recurrentActivations[each.function]);
  const floats = (what: "alpha" | "beta"): Attributes => {
    const value = takes(what).map((each) => each[what]);
    return value.length === 0 ? {} : { [`activation_${what}`]: { kind: "floats", value } };
  };
  return {
    hidden_size: int(node.hiddenSize),
    direction: { kind: "string", value: node.direction },
    ...(node.activations
      ? {
          activations: { kind: "strings", value: found.map((each) => each.function) },
          ...floats("alpha"),
          ...floats("beta"),
        }
      : {}),
    ...(node.clip === undefined ? {} : { clip: float(node.clip) }),
  };
}

/** `layout` came with opset 14. */
export function exportRecurrent(
  draft: Draft,
  node: NodeOf<"LSTM" | "GRU">,
  outputs: readonly string[],
): void {
  if (node.dynamic) {
    const wayOut = `keep it float to save the model: overrides: { "${node.name}": null }`;
    return draft.refuse(node, `ONNX has no ${node.op} of bytes; ${wayOut}`);
  }
  if (node.layout === 1 && draft.opset < 14) {
    return draft.refuse(node, "layout 1 needs opset 14; export with opset 17");
  }
  draft.node(node.op, node.name, inputsByPlace(node), outputs, {
    ...recurrentAttributes(node),
    ...(node.layout === 1 ? { layout: int(1) } : {}),
    ...(node.op === "LSTM"
      ? { input_forget: int(node.inputForget) }
      : { linear_before_reset: int(node.linearBeforeReset) }),
  });
}

/** (D, rows, columns) → (D, columns, rows). */
export function turnMatrices<T extends Tensor>({ dtype, shape, data }: T): T {
  const [count = 1, rows = 1, columns = 1] = shape;
  const out = data.slice();
  for (let at = 0; at < data.length; at++) {
    const [d, row, column] = [
      Math.floor(at / (rows * columns)),
      Math.floor(at / columns) % rows,
      at % columns,
    ];
    out[(d * columns + column) * rows + row] = data[at] as never;
  }
  return tensor(dtype, [count, columns, rows], out as never) as unknown as T;
}

/** onnxruntime's LSTM of bytes: W and R turned, their parameters as inputs. Its activations are quantized by ONNX's
 *  rule; a graph with PyTorch's is written so too and computes ONNX's elsewhere (docs/decisions/0010). */
export function exportDynamicLstm(draft: Draft, graph: Graph, node: NodeOf<"LSTM">): void {
  if (node.layout === 1) return draft.refuse(node, "DynamicQuantizeLSTM has no layout 1");
  if (node.dynamic?.granularity === "perToken") {
    return draft.refuse(node, 'one scale a row; quantize with granularity "perTensor" for files');
  }
  const count = directionsOf(node);
  const rows = 4 * node.hiddenSize;
  const params: string[] = [];
  const weights = node.inputs.slice(1, 3).map((name) => {
    const [data, { dtype, quant }] = [graph.constants.get(name), valueOf(graph, name)];
    if (!data || !quant)
      throw new Error(`export: "${name}" is no quantized constant; please report.`);
    const isPerRow = quant.axis === 1;
    const shape = isPerRow ? [count, rows] : [count];
    const each = (values: ArrayLike<number>) =>
      Array.from({ length: isPerRow ? count * rows : count }, (_, at) =>
        ofRow(values, quant, isPerRow ? Math.floor(at / rows) : at, isPerRow ? at % rows : 0),
      );
    const zeros = each(quant.zeroPoint);
    const codes = dtype === "int8" ? Int8Array.from(zeros) : Uint8Array.from(zeros);
    params.push(
      draft.shared(`${name}_s`, float32(shape, Float32Array.from(each(quant.scale)))),
      draft.own(`${name}_z`, tensor(dtype, shape, codes as never) as Tensor),
    );
    const turned = draft.names.fresh(`${name}_turned`);
    draft.initializer(turned, turnMatrices(data));
    return turned;
  });
  const places = inputsByPlace(node);
  const optional = Array.from({ length: 5 }, (_, at) => places[at + 3] ?? "");
  const inputs = [node.inputs[0] ?? "", ...weights, ...optional, ...params];
  const attributes = { ...recurrentAttributes(node), input_forget: int(node.inputForget) };
  draft.node("DynamicQuantizeLSTM", node.name, inputs, node.outputs, attributes, "com.microsoft");
}
