// Quantized files of other tools on a device: integers equal the reference's bit for bit, from the bytes at
// the border to parameters that an earlier dispatch computed.

import { afterAll, beforeAll, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { load } from "../../src/load.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { quantizedFiles } from "../null/formats/quantizedModels.ts";
import { difference } from "../support/cases.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => device.dispose());

it.each(["qOperator", "qdq", "dynamic", "integers"] as const)(
  "%s gives the reference's numbers",
  async (name) => {
    const { bytes, feeds } = quantizedFiles[name]();
    const model = await load(bytes);
    const want = interpret(bindShapes(model.graph, new Map()), feeds);
    using session = await compile(model, device);
    const got = await session.run(feeds);
    for (const output of model.graph.outputs) {
      // Floats behind exact integers: a few products of f32.
      expect(difference(got[output], want.get(output)!, { tolerance: 1e-6 })).toBeUndefined();
    }
  },
);
