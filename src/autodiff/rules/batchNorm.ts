// Batch normalization: one node for all of its gradients. Nothing flows back through the mean and variance
// that BatchNormTraining gives beside y: they are for the running statistics.

import { UnsupportedError } from "../../errors.ts";
import type { Backward } from "../backward.ts";
import type { Rules } from "../rule.ts";

const call = (back: Backward, op: "Mul" | "Div" | "Add", a: string, b: string): string =>
  back.add({ op, inputs: [a, b] });

export const batchNormRules: Rules = {
  BatchNormTraining: (back, node, [dY, ...others], wanted) => {
    const { op, name, epsilon, low, high } = node;
    if (others.some((gradient) => gradient !== undefined)) {
      const problem = "the loss must not depend on the mean and variance it gives";
      const wayOut = "Compute statistics that are trained by with ReduceMean.";
      throw new UnsupportedError("train", [{ op, node: name, problem }], wayOut);
    }
    const [x = "", scale = "", bias = "", ...divisor] = node.inputs;
    const [, mean = "", variance = ""] = node.outputs;
    const inputs = [dY ?? "", x, scale, bias, mean, variance, ...divisor];
    const bounds = {
      ...(low === undefined ? {} : { low }),
      ...(high === undefined ? {} : { high }),
    };
    const grad = { op: "BatchNormGrad", inputs, epsilon, frozen: false, ...bounds } as const;
    const results = back.addAll(grad, 3 + divisor.length);
    return results.map((result, index) => (wanted[index] ? result : undefined));
  },
  // y = (x − mean) · scale · i + bias with i = 1 / √(variance + epsilon): by mean −dBias · scale · i, and by
  // variance −½ dScale · scale · i².
  BatchNormalization: (back, node, [dY], wanted) => {
    const { epsilon } = node;
    const [, scale = "", , , variance = ""] = node.inputs;
    const inputs = [dY ?? "", ...node.inputs];
    const grad = { op: "BatchNormGrad", inputs, epsilon, frozen: true } as const;
    const [dX, dScale = "", dBias = ""] = back.addAll(grad, 3);
    const spread = () => call(back, "Add", variance, back.scalar(epsilon));
    const byMean = () => {
      const deviation = back.add({ op: "Sqrt", inputs: [spread()] });
      const step = call(back, "Div", call(back, "Mul", dBias, scale), deviation);
      return back.add({ op: "Neg", inputs: [step] });
    };
    const byVariance = () =>
      call(
        back,
        "Mul",
        call(back, "Div", call(back, "Mul", dScale, scale), spread()),
        back.scalar(-0.5),
      );
    return [
      wanted[0] ? dX : undefined,
      wanted[1] ? dScale : undefined,
      wanted[2] ? dBias : undefined,
      wanted[3] ? byMean() : undefined,
      wanted[4] ? byVariance() : undefined,
    ];
  },
};
