// LSTM and GRU against PyTorch, float and dynamically quantized by the numbers of each engine: the reference
// and the kernels. A byte of an activation that differed would move a result by more than is allowed here.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { quantizeDynamic } from "../../src/quantizeDynamic.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { difference } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";
import {
  recurrentFeeds,
  recurrentFixtures,
  recurrentModel,
  recurrentResults,
} from "../support/recurrentFixture.ts";

/** PyTorch's own sigmoid and tanh are approximations to about 1e-7, and steps carry them on. */
const closeness = { tolerance: 1e-5 };

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

describe.each(recurrentFixtures)("PyTorch's $op, bidirectional $bidirectional,", (fixture) => {
  it.each(["float", "qnnpack", "fbgemm"] as const)("%s", async (how) => {
    const float = recurrentModel(fixture);
    const model =
      how === "float" ? float : quantizeDynamic(float, { preset: how, ops: [fixture.op] });
    const want = recurrentResults(fixture, how === "float" ? fixture.float : fixture.engines[how]);
    const feeds = recurrentFeeds(fixture);
    const reference = interpret(bindShapes(model.graph, new Map()), feeds);
    using session = await compile(model, device);
    const got = await session.run(feeds);
    for (const [name, tensor] of Object.entries(want)) {
      expect(difference(reference.get(name), tensor, closeness), `${name}, reference`).toBe(
        undefined,
      );
      expect(difference(got[name], tensor, closeness), `${name}, kernels`).toBe(undefined);
    }
  });
});
