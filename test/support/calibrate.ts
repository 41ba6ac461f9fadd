// Calibration without a device: the reference computes every value and the host observes it. What
// `calibrate` finds on a GPU, for tests that have none.

import { bindShapes } from "../../src/graph/bind.ts";
import type { Graph } from "../../src/graph/graph.ts";
import type { Observe } from "../../src/graph/node.ts";
import type { Calibration } from "../../src/quantize/calibration.ts";
import { addBatch, emptyStatistics, type Statistics } from "../../src/quantize/observers.ts";
import { observeTensor } from "../../src/quantize/observeTensor.ts";
import { interpret } from "../../src/reference/interpret.ts";
import type { Tensor, Tensors } from "../../src/tensor/tensor.ts";

/** Statistics of the values that `prepared` observes, over `batches`; no bias correction. */
export function calibrateOnHost(prepared: Graph, batches: readonly Tensors[]): Calibration {
  const observers = prepared.nodes.filter((node): node is Observe => node.op === "Observe");
  const statistics = new Map<string, Statistics>();
  for (const inputs of batches) {
    const batch = Object.values(inputs)[0]?.shape[0] ?? 1;
    const values = interpret(bindShapes(prepared, new Map([["batch", batch]])), inputs);
    for (const {
      inputs: [name = ""],
      observer,
    } of observers) {
      const before = statistics.get(name) ?? emptyStatistics(observer);
      const seen = observeTensor(observer, values.get(name) as Tensor<"float32">, before);
      statistics.set(name, addBatch(before, seen));
    }
  }
  return { statistics, biasCorrection: new Map(), samples: batches.length };
}
