// What the inputs of an update must agree in: a parameter, its gradient and its state have one shape.

import { formatShape } from "../tensor/tensor.ts";
import { nodeError } from "./nodeError.ts";
import {
  HYPER_SIZE,
  updateInputs,
  type Accumulate,
  type AdamUpdate,
  type SgdUpdate,
} from "./updates.ts";
import type { Dim } from "./value.ts";

/** Throws InputError where shapes do not fit. */
export function checkUpdate(
  node: SgdUpdate | AdamUpdate | Accumulate,
  inputs: readonly (readonly Dim[])[],
): void {
  const [parameter = [], , hyper = []] = inputs;
  if (hyper.length !== 1 || hyper[0] !== HYPER_SIZE) {
    const rule = `hyper must have shape [${HYPER_SIZE}]`;
    throw nodeError(node, rule, formatShape(hyper), "Pass the graph's input of hyperparameters.");
  }
  const states = node.op === "Accumulate" ? 0 : updateInputs(node).state.length;
  const alike = [1, ...Array.from({ length: states }, (_, index) => 3 + index)];
  for (const index of alike) {
    const shape = formatShape(inputs[index] ?? []);
    if (inputs[index] && shape === formatShape(parameter)) continue;
    const what = `"${node.inputs[index]}" must have the shape of "${node.inputs[0]}" ${formatShape(parameter)}`;
    throw nodeError(
      node,
      what,
      shape,
      "Pass the gradient, and variables of zeros, of that parameter.",
    );
  }
}
