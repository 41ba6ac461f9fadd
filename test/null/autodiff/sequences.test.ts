// Gradients of what sequences and their losses are made of, against central differences in float64.

import "../../support/float64.ts";
import { describe, expect, it } from "vitest";
import { crossEntropy, distillation, mse, weighted } from "../../../src/autodiff/losses.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { checkGradients, singleNode } from "../../support/gradients.ts";

const int32 = (shape: readonly number[], data: readonly number[]) =>
  tensor("int32", shape, Int32Array.from(data));

describe("rules equal central differences", () => {
  it.each([
    { axis: 0, shape: [4, 3] },
    { axis: 1, shape: [2, 5, 3] },
    { axis: 3, shape: [2, 1, 2, 5] },
  ])("Softmax and LogSoftmax of $shape along axis $axis", ({ axis, shape }) => {
    checkGradients(singleNode({ op: "Softmax", axis }, [shape], { seed: 1 }));
    checkGradients(singleNode({ op: "LogSoftmax", axis }, [shape], { seed: 2 }));
  });

  it.each([
    { axis: 2, shape: [2, 3, 5], row: [5] },
    { axis: 1, shape: [2, 3, 5], row: [3, 5] },
    { axis: 1, shape: [2, 3, 2, 2], row: [3, 1, 1] },
    { axis: 1, shape: [4, 6], row: [1] },
  ])(
    "LayerNormalization of $shape from axis $axis, scale and bias $row",
    ({ axis, shape, row }) => {
      const node = { op: "LayerNormalization", axis, epsilon: 1e-3 } as const;
      checkGradients(singleNode(node, [shape, row, row], { seed: 3 }));
      checkGradients(singleNode(node, [shape, row], { seed: 4 }));
    },
  );

  it.each([
    { axis: 0, data: [5, 3], shape: [4] },
    { axis: 1, data: [2, 5, 3], shape: [2, 2] },
    { axis: 2, data: [2, 3, 5], shape: [] },
  ])("Gather of $data at axis $axis by $shape, an index twice", ({ axis, data, shape }) => {
    const indices = int32(
      shape,
      [3, -1, 3, 0].slice(
        0,
        shape.reduce((a, b) => a * b, 1),
      ),
    );
    checkGradients(singleNode({ op: "Gather", axis }, [data, indices], { seed: 5 }));
  });

  it.each([0, 0.1])("CrossEntropy with label smoothing %d", (labelSmoothing) => {
    const labels = int32([2, 2], [1, -100, 0, 4]);
    const node = { op: "CrossEntropy", labelSmoothing } as const;
    checkGradients(singleNode(node, [[2, 2, 5], labels], { seed: 6 }));
  });

  it("losses: their mean over rows, distillation, features, and sums of them", () => {
    checkGradients({
      build: (builder, [logits = "", teacher = "", labels = "", a = "", b = ""]) =>
        weighted(builder, [
          { loss: crossEntropy(builder, logits, labels, { labelSmoothing: 0.1 }), weight: 0.5 },
          {
            loss: distillation(builder, {
              student: logits,
              teacher,
              temperature: 3,
              features: [{ student: a, teacher: b, weight: 0.2 }],
            }),
            weight: 1,
          },
          { loss: mse(builder, b, a), weight: 2 },
        ]),
      inputs: [[4, 5], [4, 5], int32([4], [0, 3, -100, 4]), [2, 3, 2, 2], [2, 3, 2, 2]],
      seed: 7,
    });
  });
});

describe("LSTM and GRU equal central differences", () => {
  const sizes = { time: 4, batch: 3, inputs: 2, units: 3 };
  const forms = (["forward", "reverse", "bidirectional"] as const).flatMap((direction) => [
    { direction, layout: 0, roles: [] } as const,
    { direction, layout: 1, roles: ["bias", "initialH", "initialC"] } as const,
    { direction, layout: 0, roles: ["bias", "sequenceLens", "initialH", "initialC"] } as const,
  ]);
  it.each((["LSTM", "GRU"] as const).flatMap((op) => forms.map((form) => ({ op, ...form }))))(
    "$op $direction, layout $layout, with $roles",
    ({ op, direction, layout, roles: all }) => {
      const { time, batch, inputs, units } = sizes;
      const count = direction === "bidirectional" ? 2 : 1;
      const rows = (op === "LSTM" ? 4 : 3) * units;
      const state = layout === 0 ? [count, batch, units] : [batch, count, units];
      const roles = all.filter((role) => op === "LSTM" || role !== "initialC");
      const shapes = {
        bias: [count, 2 * rows],
        sequenceLens: int32([batch], [time, 2, 0]),
        initialH: state,
        initialC: state,
      };
      const own = { direction, hiddenSize: units, layout, roles };
      const attributes =
        op === "LSTM"
          ? ({ op, ...own, inputForget: false } as const)
          : ({ op, ...own, linearBeforeReset: true } as const);
      checkGradients(
        singleNode(
          attributes,
          [
            layout === 0 ? [time, batch, inputs] : [batch, time, inputs],
            [count, rows, inputs],
            [count, rows, units],
            ...roles.map((role) => shapes[role]),
          ],
          { seed: 8, outputs: op === "LSTM" ? 3 : 2 },
        ),
      );
    },
  );

  it("refuse what no exporter of PyTorch writes, by name", () => {
    const node = {
      op: "GRU",
      direction: "forward",
      hiddenSize: 2,
      layout: 0,
      roles: [],
      linearBeforeReset: false,
    } as const;
    const inputs = [
      [2, 1, 3],
      [1, 6, 3],
      [1, 6, 2],
    ];
    expect(() => checkGradients(singleNode(node, inputs, { seed: 9, outputs: 2 })))
      .toThrowErrorMatchingInlineSnapshot(`
      [UnsupportedError: train: 1 unsupported node(s):
        GRU "node": it resets h before the product
      Freeze it and what comes before it, or change the model.]
    `);
  });
});
