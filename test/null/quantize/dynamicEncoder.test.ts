// A transformer encoder against PyTorch's quantize_dynamic on the same weights: bytes of the quantized activations
// bit for bit, outputs to 1e-5 of the largest.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../src/graph/bind.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { interpret } from "../../../src/reference/interpret.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import {
  encoderFixture,
  encoderInput,
  encoderLinears,
  encoderModel,
  quantizedEncoder,
} from "../../support/dynamicEncoder.ts";
import { bytesFrom, farFrom, floatsFrom, linearModel } from "../../support/dynamicFixture.ts";

it("in float, our network is PyTorch's", () => {
  const { graph } = encoderModel();
  const y = interpret(bindShapes(graph, new Map()), { x: encoderInput }).get(graph.outputs[0]!)!;
  expect(farFrom(y, floatsFrom(encoderFixture.float), 1e-5)).toBeUndefined();
});

describe("each linear, on the input it has in PyTorch", () => {
  it.each(encoderLinears)(
    "$name: bytes, scale, zero point, output",
    ({ fixture, engine, want }) => {
      const { graph } = quantizeDynamic(linearModel(fixture), { preset: engine });
      const x = float32([fixture.rows, fixture.columns], floatsFrom(fixture.x));
      const values = interpret(bindShapes(graph, new Map()), { x });
      expect(values.get("x_quantized")!.data).toEqual(bytesFrom(want.q));
      expect(values.get("x_scale")!.data).toEqual(floatsFrom(want.scale));
      expect([...values.get("x_zero_point")!.data]).toEqual([want.zeroPoint]);
      expect(farFrom(values.get("y")!, floatsFrom(want.y), 1e-5)).toBeUndefined();
    },
  );
});

describe.each(["fbgemm", "qnnpack"] as const)("the whole network, %s", (engine) => {
  const want = encoderFixture.engines[engine];
  const { graph } = quantizedEncoder(engine);

  it("quantizes what PyTorch quantizes", () => {
    const products = graph.nodes.filter(({ op }) => op === "MatMulIntegerToFloat");
    expect(products.map(({ name }) => name).sort()).toEqual(Object.keys(want.linears).sort());
  });

  it("every quantized activation has PyTorch's bytes, and the output its values", () => {
    const values = interpret(bindShapes(graph, new Map()), { x: encoderInput });
    for (const [name, { q }] of Object.entries(want.linears)) {
      const bytes = graph.nodes.find((node) => node.name === name)!.inputs[0]!;
      expect(values.get(bytes)!.data, name).toEqual(bytesFrom(q));
    }
    expect(farFrom(values.get(graph.outputs[0]!)!, floatsFrom(want.y), 1e-5)).toBeUndefined();
  });
});
