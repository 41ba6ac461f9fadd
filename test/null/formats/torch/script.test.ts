// TorchScript archives, traced, scripted and frozen, float and quantized, against PyTorch's own outputs;
// and the words for programs that are no straight line.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../../src/graph/bind.ts";
import { load } from "../../../../src/load.ts";
import { interpret } from "../../../../src/reference/interpret.ts";
import { float32 } from "../../../../src/tensor/tensor.ts";
import { expected, fixture, floatsOf, messageOf } from "./support.ts";

/** The output of archive `name` for its stored input, and PyTorch's. */
async function outputs(name: string) {
  const { input, output } = expected[name]!;
  const shape = input!.shape;
  const model = await load(fixture(name), { inputShape: ["batch", ...shape.slice(1)] });
  const [inputName = ""] = model.graph.inputs;
  const values = interpret(bindShapes(model.graph, new Map([["batch", shape[0]!]])), {
    [inputName]: float32(shape, floatsOf(input!)),
  });
  return { model, got: values.get("output")!, want: floatsOf(output!), shape: output!.shape };
}

describe("quantized archives", () => {
  it.each([
    "quantized.traced.pt",
    "quantized.scripted.pt",
    "quantized.frozen.pt",
    "quantized.lite.ptl",
  ])("%s gives qnnpack's numbers bit for bit", async (name) => {
    const { model, got, want, shape } = await outputs(name);
    expect(model.stage).toBe("quantized");
    expect(got.shape).toEqual(shape);
    expect(got.data).toEqual(want);
    expect(new Set(want).size).toBeGreaterThan(2); // not one saturated value
  });

  it("perChannel.traced.pt gives fbgemm's numbers bit for bit", async () => {
    const { got, want } = await outputs("perChannel.traced.pt");
    expect(got.data).toEqual(want);
  });

  it("a scripted archive is inlined under the names of its modules", async () => {
    const { model } = await outputs("quantized.scripted.pt");
    expect(model.toString()).toMatchSnapshot();
  });

  it("dynamic layers become float layers of dequantized weights", async () => {
    const { model, got, want } = await outputs("dynamic.traced.pt");
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(["Gemm", "Relu", "Gemm"]);
    // PyTorch quantizes the activations per call, to 255 steps of their range: about 1 % here.
    got.data.forEach((x, at) => expect(Math.abs(Number(x) - want[at]!)).toBeLessThan(0.02));
  });
});

describe("float archives", () => {
  it.each(["float.traced.pt", "float.scripted.pt", "head.traced.pt", "head.scripted.pt"])(
    "%s gives PyTorch's numbers",
    async (name) => {
      const { model, got, want, shape } = await outputs(name);
      expect(model.stage).toBe("float");
      expect(got.shape).toEqual(shape);
      // Sums are rounded in another order.
      got.data.forEach((x, at) => expect(Math.abs(Number(x) - want[at]!)).toBeLessThan(1e-5));
    },
  );
});

describe("shapes", () => {
  it("an input shape that is assumed and does not fit is explained", async () => {
    expect(await messageOf(() => load(fixture("dynamic.traced.pt")))).toMatchSnapshot();
  });

  it("names, sizes and dims of the input are the caller's", async () => {
    const bytes = fixture("quantized.scripted.pt");
    const model = await load(bytes, { inputShape: { x: ["n", 3, 8, 8] }, dims: { n: 2 } });
    expect(model.inputs).toEqual({ x: { dtype: "float32", shape: [2, 3, 8, 8] } });
    expect(model.outputs).toEqual({ output: { dtype: "float32", shape: [2, 5] } });
    expect(await messageOf(() => load(bytes, { inputShape: { y: [1] } }))).toMatchSnapshot();
    expect(await messageOf(() => load(bytes, { inputShape: [0, 3, 8, 8] }))).toMatchSnapshot();
  });
});

describe("programs that are no straight line", () => {
  it.each(["loop.pt", "decision.pt", "inPlace.pt"])("%s is refused with its line", async (name) => {
    const run = () => load(fixture(name), { inputShape: [1, 3, 8, 8] });
    expect(await messageOf(run)).toMatchSnapshot();
  });
});
