// LSTM and GRU → ONNX: what `roles` names goes to its place among the optional inputs.

import { activationsOf, directionsOf, recurrentRoles, roleIndex } from "../../graph/recurrent.ts";
import { recurrentActivations } from "../../graph/recurrent.ts";
import type { NodeOf } from "../../graph/node.ts";
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
