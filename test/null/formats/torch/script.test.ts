// TorchScript archives, traced, scripted and frozen, float and quantized, against PyTorch's own outputs;
// and the words for programs that are no straight line.

import { describe, expect, it } from "vitest";
import { bindShapes } from "../../../../src/graph/bind.ts";
import { load } from "../../../../src/load.ts";
import { interpret } from "../../../../src/reference/interpret.ts";
import { float32 } from "../../../../src/tensor/tensor.ts";
import { expected, fixture, floatsOf, messageOf, pickleOf, zipOf } from "./support.ts";

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

  it("dynamic layers become dynamic products, with qnnpack's numbers", async () => {
    const { model, got, want } = await outputs("dynamic.traced.pt");
    const pair = ["DynamicQuantizeLinear", "MatMulIntegerToFloat"];
    expect(model.graph.nodes.map(({ op }) => op)).toEqual([...pair, "Relu", ...pair]);
    expect(model.stage).toBe("quantized");
    got.data.forEach((x, at) => expect(Math.abs(Number(x) - want[at]!)).toBeLessThan(1e-6));
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

/** An archive of one module without state whose forward is `body`; `constants` is a pickle of CONSTANTS. */
function archive(body: string, constants = pickleOf([0x80, 2], ").")): Uint8Array {
  const code = [
    "class M(Module):",
    "  __parameters__ = []",
    "  __buffers__ = []",
    "  def forward(self: __torch__.M,",
    "    x: Tensor) -> Tensor:",
    ...body.split("\n").map((line) => `    ${line}`),
    "",
  ].join("\n");
  const entry = (name: string, data: Uint8Array) => ({ name: `m/${name}`, data });
  return zipOf([
    entry("data.pkl", pickleOf([0x80, 2], "c__torch__\nM\n)", [0x81], "}b.")),
    entry("constants.pkl", constants),
    entry("code/__torch__.py", new TextEncoder().encode(code)),
    entry("version", new TextEncoder().encode("3\n")),
  ]);
}

describe("arguments by name", () => {
  const run = (body: string) => () => load(archive(body), { inputShape: [1, 4] });

  it("that only say where a result lies are passed over", async () => {
    const model = await run("return torch.relu(torch.clone(x, memory_format=0))")();
    expect(model.graph.nodes.map(({ op }) => op)).toEqual(["Relu"]);
  });

  it("that an op does not look at are refused by name", async () => {
    expect(await messageOf(run('return torch.div(x, 2., rounding_mode="floor")')))
      .toMatchInlineSnapshot(`
      "UnsupportedError: load: 1 unsupported node(s):
        torch.div "forward": argument "rounding_mode" is not supported (code/__torch__.py, line 6)
      Export the model to ONNX instead, or change the model so that it needs no such op."
    `);
  });

  it("every op that is not there is named at once", async () => {
    const body = "return torch.relu(torch.fft_a(torch.sin_b(torch.sin_b(x))))";
    const words = await messageOf(run(body));
    expect(words).toContain("load: 2 unsupported node(s)");
    expect(words).toContain('torch.sin_b "forward": this op is not supported (code/__torch__.py');
    expect(words).toContain('torch.fft_a "code": this op is not supported (code/__torch__.py');
  });

  it("alpha and beta of addmm are looked at", async () => {
    const body = "return torch.addmm(x, x, x, beta=1, alpha=0.5)";
    expect(await messageOf(run(body))).toContain("alpha, beta must be 1");
  });
});

describe("hostile programs", () => {
  it("a list that holds one list many times, a hundred deep, ends in an error", async () => {
    // L0 = []; Lk = [Lk₋₁, Lk₋₁]: memo k holds Lk, and the constants are all of them.
    const put = (index: number) => pickleOf("q", index);
    const get = (index: number) => pickleOf("h", index);
    const lists = Array.from({ length: 90 }, (_, k) =>
      pickleOf("](", [...get(k)], [...get(k)], "e", [...put(k + 1)]),
    );
    const constants = pickleOf(
      [0x80, 2],
      "(]",
      [...put(0)],
      ...lists.map((list) => [...list]),
      "t.",
    );
    const file = archive("y = CONSTANTS.c90\nreturn torch.relu(x)", constants);
    const message = await messageOf(() => load(file, { inputShape: [1, 4] }));
    expect(message).toContain("holds too many values");
  });

  it("a chain of ten thousand attributes ends in an error", async () => {
    const file = archive(`return x${".a".repeat(10_000)}`);
    const message = await messageOf(() => load(file, { inputShape: [1, 4] }));
    expect(message).toContain("a chain of calls is too long");
  });
});
