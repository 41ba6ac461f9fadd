// Quantization-aware training's graphs in the reference: a step moves ranges, scales and statistics; evaluation
// is what conversion makes integers of.

import { beforeAll, describe, expect, it } from "vitest";
import { hyperOf } from "../../../src/autodiff/optimizers.ts";
import { stepGraph } from "../../../src/autodiff/step.ts";
import { convert } from "../../../src/convert.ts";
import { bindShapes } from "../../../src/graph/bind.ts";
import { Model } from "../../../src/model.ts";
import { prepareQat, withTrained } from "../../../src/prepareQat.ts";
import { qatQConfigs } from "../../../src/quantize/qat/presets.ts";
import { trainingGraph } from "../../../src/quantize/qat/train.ts";
import type { QatMode } from "../../../src/quantize/qat/model.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { tensor, toNumbers, float32 } from "../../../src/tensor/tensor.ts";
import { pictures, residualGraph } from "../../support/models.ts";

const mode: QatMode = {
  batchNorm: "batch",
  observers: true,
  fakeQuantize: true,
  learnable: false,
};
const optimizer = { kind: "sgd", learningRate: 0.02, momentum: 0.9 } as const;
const batch = 8;

/** `model` after `steps` steps in the reference, and the losses. */
function train(model: Model<"qat">, steps: number, given: Partial<QatMode> = {}) {
  let current = model;
  const losses: number[] = [];
  for (let step = 1; step <= steps; step++) {
    const dims = new Map([["batch", batch]]);
    const forward = trainingGraph(current.details, { ...mode, ...given }, dims);
    const { graph, loss, target, hyper } = stepGraph(forward, {
      loss: { kind: "crossEntropy" },
      optimizer,
    });
    const values = interpret(graph, {
      ...pictures(batch, step % 3),
      [target]: tensor("int32", [batch], Int32Array.from({ length: batch }, (_, i) => i % 5)),
      [hyper]: float32([8], hyperOf(optimizer, { learningRate: 0.02, update: step })),
    });
    losses.push(toNumbers(values.get(loss)!)[0]!);
    const trained = [...graph.variables!.keys()].map((name) => [name, values.get(name)!] as const);
    current = withTrained(current, new Map(trained), { learnable: given.learnable ?? false });
  }
  return { model: current, losses };
}

/** How many of `count` bytes differ between evaluation and conversion, and by how much at most. */
function compareBytes(model: Model<"qat">) {
  const inputs = pictures(16, 77);
  const dims = new Map([["batch", 16]]);
  const evaluated = interpret(bindShapes(model.graph, dims), inputs);
  const converted = interpret(bindShapes(convert(model).graph, dims), inputs);
  let [count, differing, most] = [0, 0, 0];
  for (const [name, { scale }] of model.details.activations) {
    const [got, want] = [converted.get(name), evaluated.get(name)];
    const quant = convert(model).graph.values.get(name)?.quant;
    if (!got || !want || !quant) continue;
    const step = toNumbers(model.details.state.get(scale)!)[0]!;
    toNumbers(want).forEach((real, i) => {
      const q = toNumbers(got)[i]!;
      const apart = Math.abs(Math.round(real / step) + quant.zeroPoint[0]! - q);
      count++;
      if (apart > 0) differing++;
      most = Math.max(most, apart);
    });
  }
  return { count, differing, most };
}

describe("prepareQat", () => {
  const model = prepareQat(new Model("float", residualGraph(), {}));

  it("prints", () => {
    expect(model.toString()).toBe("");
  });
  it("trains", () => {
    const r = train(model, 6);
    console.log(r.losses, compareBytes(r.model));
    const f = train(r.model, 2, { batchNorm: "frozen", observers: false });
    console.log(f.losses, compareBytes(f.model));
    const l = train(r.model, 3, { batchNorm: "frozen", observers: false, learnable: true });
    console.log(l.losses, compareBytes(l.model));
    console.log(convert(l.model).toString());
    expect(1).toBe(2);
  });
});
