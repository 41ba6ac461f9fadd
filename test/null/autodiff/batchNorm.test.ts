// Rules of batch normalization against central differences in float64, and the words of what cannot be.

import "../../support/float64.ts";
import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import { checkGradients, gradientsOf, singleNode, type Input } from "../../support/gradients.ts";
import { floats } from "../../support/seeded.ts";

const shapes = [
  [4, 3],
  [2, 3, 5],
  [2, 3, 2, 3],
  [2, 2, 2, 2, 2],
] as const;
const clamps = [{}, { low: 0 }, { low: -0.5, high: 0.6 }] as const;

/** Numbers in [0.5, 1.5), as variances are, and divisors. */
function around1(channels: number, seed: number): Input {
  const { data } = floats([channels], seed);
  return float32(
    [channels],
    data.map((x) => 1 + x / 2),
  );
}

describe("BatchNormTraining", () => {
  it.each(shapes.flatMap((shape) => clamps.map((clamp) => ({ shape, ...clamp }))))(
    "of $shape within $low … $high has the gradients of its central differences",
    ({ shape, ...clamp }) => {
      const node = { op: "BatchNormTraining", epsilon: 0.01, ...clamp } as const;
      const [, channels] = shape;
      const build = (builder: GraphBuilder, names: readonly string[]) => {
        const outputs = ["y", "mean", "variance"];
        builder.add({ ...node, name: "node", inputs: names, outputs });
        return "y";
      };
      checkGradients({ build, inputs: [shape, [channels], [channels]], seed: 81 });
    },
  );

  it.each(shapes.map((shape) => ({ shape })))("of $shape has one by a divisor too", ({ shape }) => {
    const [, channels] = shape;
    const build = (builder: GraphBuilder, names: readonly string[]) => {
      const outputs = ["y", "mean", "variance"];
      // A great epsilon: without one the divisor would change nothing.
      const node = { op: "BatchNormTraining", epsilon: 0.5, low: -0.6 } as const;
      builder.add({ ...node, name: "node", inputs: names, outputs });
      return "y";
    };
    const inputs = [shape, [channels], [channels], around1(channels, 83)];
    checkGradients({ build, inputs, seed: 82 });
  });

  it("refuses a loss that depends on its statistics", () => {
    const node = { op: "BatchNormTraining", epsilon: 1e-5 } as const;
    const all = singleNode(node, [[4, 3], [3], [3]], { seed: 84, outputs: 3 });
    expect(() => gradientsOf(all)).toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: train: 1 unsupported node(s):
        BatchNormTraining "node": the loss must not depend on the mean and variance it gives
      Compute statistics that are trained by with ReduceMean.]
    `);
  });
});

describe("BatchNormalization", () => {
  it.each(shapes.map((shape) => ({ shape })))(
    "of $shape has the gradients of its central differences",
    ({ shape }) => {
      const [, channels] = shape;
      const c = [channels];
      const inputs = [shape, c, c, c, around1(channels, 86)];
      checkGradients(singleNode({ op: "BatchNormalization", epsilon: 0.01 }, inputs, { seed: 85 }));
    },
  );
});
