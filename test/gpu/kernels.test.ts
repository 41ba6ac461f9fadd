// Every kernel against src/reference, on random shapes around its words and tiles: integers bit for
// bit, floats within a tolerance that support/cases.ts explains. Seeds are fixed; a failing case is
// shrunk and printed whole.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Device } from "../../src/gpu/device.ts";
import { testDevice } from "../support/device.ts";
import { attentions } from "../support/families/attention.ts";
import { convGrads, largeConvGrads } from "../support/families/convGrads.ts";
import { convolutions, largeConvolutions } from "../support/families/convolution.ts";
import { elementwise } from "../support/families/elementwise.ts";
import { gradients } from "../support/families/gradients.ts";
import { integerOps } from "../support/families/integers.ts";
import { engines } from "../support/families/engines.ts";
import { learning, recurrentGradients } from "../support/families/learning.ts";
import { products } from "../support/families/matmul.ts";
import { movements } from "../support/families/movement.ts";
import { norms } from "../support/families/norms.ts";
import { pools } from "../support/families/pools.ts";
import { computedRecurrent, dynamicRecurrent, recurrent } from "../support/families/recurrent.ts";
import { words } from "../support/families/words.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});
afterAll(() => {
  expect(device.memory).toEqual({ buffers: 0, bytes: 0 });
  device.dispose();
});

describe.each([
  { group: "convolutions", families: convolutions, runs: 250 },
  { group: "convolutions past one tile", families: largeConvolutions, runs: 6 },
  { group: "gradients of convolutions", families: convGrads, runs: 100 },
  { group: "gradients of convolutions past one tile", families: largeConvGrads, runs: 6 },
  { group: "PyTorch's engines", families: engines, runs: 150 },
  { group: "matrix products", families: products, runs: 200 },
  { group: "element-wise ops", families: elementwise, runs: 150 },
  { group: "pools, means and softmax", families: pools, runs: 200 },
  { group: "normalizations", families: norms, runs: 200 },
  { group: "gradients", families: gradients, runs: 60 },
  { group: "attention", families: attentions, runs: 120 },
  { group: "plain integers", families: integerOps, runs: 150 },
  { group: "recurrent nets", families: recurrent, runs: 25 },
  { group: "recurrent nets of computed weights", families: computedRecurrent, runs: 15 },
  { group: "dynamic recurrent nets", families: dynamicRecurrent, runs: 15 },
  { group: "integers and bools at run time", families: words, runs: 150 },
  { group: "losses and gradients", families: learning, runs: 100 },
  { group: "recurrent nets walked back", families: recurrentGradients, runs: 25 },
  { group: "movements", families: movements, runs: 100 },
])("$group", ({ families, runs }) => {
  it.each(families)("$title", async ({ check }) => {
    await check(device, runs);
  });
});
