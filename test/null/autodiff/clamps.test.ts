// Gradients through fused clamps whose bounds differ by channel, against central differences in float64.

import "../../support/float64.ts";
import { it } from "vitest";
import type { GraphBuilder } from "../../../src/graph/builder.ts";
import type { ChannelClamp } from "../../../src/graph/node.ts";
import { checkGradients } from "../../support/gradients.ts";

const clamps: readonly ChannelClamp[] = [
  { low: 0, high: [0.5, 0.1, Infinity] },
  { low: [-0.3, -Infinity, 0], high: [0.2, 0.5, 0.4] },
];

it.each(clamps)("low $low and high $high stop what they cut", (clamp) => {
  const build = (builder: GraphBuilder, names: readonly string[]) => {
    builder.add({
      op: "Gemm",
      name: "node",
      inputs: names,
      outputs: ["y"],
      ...{ alpha: 1, beta: 1, transA: false, transB: true },
      ...clamp,
    });
    return "y";
  };
  checkGradients({ build, inputs: [[4, 2], [3, 2], [3]], seed: 85 });
});
