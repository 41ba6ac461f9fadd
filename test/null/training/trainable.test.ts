// What is learnt passes from one graph of a training to the next.

import { expect, it } from "vitest";
import { trainableOf } from "../../../src/trainable.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { tinyModel } from "../../support/tinyTraining.ts";

const mode = { observers: false, fakeQuantize: false, learnable: false } as const;

it("frozen normalizations of a float model use the statistics that were learnt, as the model does", () => {
  const trainable = trainableOf(tinyModel(1));
  const learnt = new Map([["first.mean", float32([8], new Float32Array(8).fill(0.25))]]);
  const frozen = trainable.forward({ ...mode, batchNorm: "frozen" }, 4, learnt);
  expect(frozen.graph.constants.get("first.mean")).toEqual(learnt.get("first.mean"));
  const batch = trainable.forward({ ...mode, batchNorm: "batch" }, 4, learnt);
  expect(batch.graph.variables?.get("first.mean")).toEqual(learnt.get("first.mean"));
  expect(trainable.modelOf(learnt).graph.constants.get("first.mean")).toEqual(
    learnt.get("first.mean"),
  );
});
