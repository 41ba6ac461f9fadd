// Nodes that change variables: the meaning of each, as the new tensors of the variables among its inputs.

import type { Node } from "../graph/node.ts";
import { nodeError } from "../graph/shapes.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { movingAverageObserve } from "./fakeQuantize.ts";
import { accumulate, adamUpdate, sgdUpdate } from "./optimizers.ts";
import { updateRunning } from "./batchNormTraining.ts";

/** Whether `node` is there for the variables that it changes. */
export function isUpdate(node: Node): boolean {
  return node.outputs.length === 0 && node.op !== "Observe" && node.op !== "Compare";
}

/** What `node` leaves in its variables, by the index of the input. */
export function update(
  node: Node,
  inputs: readonly Tensor[],
): readonly (readonly [number, Tensor])[] {
  switch (node.op) {
    case "MovingAverageObserve":
      return movingAverageObserve(node, inputs).map((value, at) => [at + 1, value]);
    case "SgdUpdate":
      return sgdUpdate(node, inputs);
    case "AdamUpdate":
      return adamUpdate(node, inputs);
    case "Accumulate":
      return accumulate(node, inputs);
    case "UpdateRunning":
      return updateRunning(node, inputs);
    default:
      throw nodeError(node, "the reference must know it", node.op, "Please report.");
  }
}
