// A verb that finds nothing to quantize says so, instead of giving a float model another name.

import { describe, expect, it } from "vitest";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { Model } from "../../../src/model.ts";
import { prepare } from "../../../src/prepare.ts";
import { quantizeDynamic } from "../../../src/quantizeDynamic.ts";
import { verdict } from "../../../src/verdict.ts";
import type { LayerError } from "../../../src/compare.ts";
import { residualGraph } from "../../support/models.ts";

function softmax(): Model<"float"> {
  const builder = new GraphBuilder();
  builder.input("x", { dtype: "float32", shape: [1, 4] });
  builder.add({ op: "Softmax", name: "soft", inputs: ["x"], outputs: ["y"], axis: 1 });
  return new Model("float", builder.build("soft", ["x"], ["y"]), {});
}

describe("nothing to quantize", () => {
  it("dynamically", () => {
    expect(() => quantizeDynamic(softmax())).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: quantizeDynamic: there must be something to quantize; got no node that can be. Its layers are Linear, LSTM, GRU and Embedding (ops asks for more, overrides for fewer); calibrate a model of convolutions instead: prepare, calibrate, convert, or quantize --mode static.]`,
    );
    const options = { overrides: { "*": null } };
    expect(() => quantizeDynamic(new Model("float", residualGraph(), {}), options)).toThrow(
      "quantizeDynamic: there must be something to quantize",
    );
  });

  it("by static quantization", () => {
    expect(() => prepare(softmax())).toThrowErrorMatchingInlineSnapshot(
      `[QConfigError: prepare: there must be something to quantize; got no node that can be (Softmax "soft": Softmax has no integer kernel). Run the float model as it is, or leave fewer nodes out (overrides, --exclude).]`,
    );
    const options = { overrides: { "*": null } };
    expect(() => prepare(new Model("float", residualGraph(), {}), options)).toThrow(
      "prepare: there must be something to quantize",
    );
  });
});

describe("the verdict on a quantized model", () => {
  const model = new Model("float", residualGraph(), {});
  const at = (node: string, value: string, sqnrDb: number): LayerError => ({
    ...{ node, op: "Conv", value, dtype: "uint8", sqnrDb },
  });

  it("is silent at 10 dB and 90 %", () => {
    expect(verdict(model, [at("head", "scores", 10)], 90)).toBeUndefined();
    expect(verdict(model, [at("head", "scores", Infinity)])).toBeUndefined();
  });

  it("names what loses most, not what only passes it on", () => {
    const layers = [
      at("head", "scores", 4),
      at("sum", "sum", 5),
      at("pointwise", "pointwise.norm", 5),
    ];
    const found = verdict(model, [...layers, at("stem", "stem.relu6.out", 38)])!;
    expect(found.layers[0]).toEqual({ node: "pointwise", op: "Conv", lostDb: 33 });
    expect(found.message).toContain("its output has 4.0 dB (least: 10)");
    expect(found.message).toContain('Most is lost in Conv "pointwise" (−33.0 dB)');
  });

  it("speaks where answers differ, and where an output is no number", () => {
    expect(verdict(model, [at("head", "scores", 20)], 80)?.message).toContain(
      "80.0 % of its answers are the float model's (least: 90)",
    );
    expect(verdict(model, [at("head", "scores", NaN)])?.sqnrDb).toBeNull();
  });
});
