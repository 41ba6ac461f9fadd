// TorchScript archives of PyTorch's on WebGPU, against PyTorch's own outputs.

import { afterAll, beforeAll, expect, it } from "vitest";
import { compile, float32, load, requestDevice, save, type Device } from "../../src/node.ts";
import { expected, fixture, floatsOf } from "../null/formats/torch/support.ts";

let device: Device;
beforeAll(async () => void (device = await requestDevice()));
afterAll(() => device.dispose());

async function outputs(name: string) {
  const { input, output } = expected[name]!;
  const model = await load(fixture(name), { inputShape: ["batch", ...input!.shape.slice(1)] });
  const x = { [model.graph.inputs[0]!]: float32(input!.shape, floatsOf(input!)) };
  using session = await compile(model, device);
  const got = (await session.run(x))["output"]!.data as Float32Array;
  return { model, x, got, want: floatsOf(output!) };
}

it.each([
  "quantized.traced.pt",
  "quantized.scripted.pt",
  "quantized.frozen.pt",
  "quantized.lite.ptl",
])("%s gives qnnpack's numbers bit for bit, and so does its QDQ file", async (name) => {
  const { model, x, got, want } = await outputs(name);
  expect(got).toEqual(want);
  using session = await compile(await load(save(model)), device);
  expect((await session.run(x))["output"]!.data).toEqual(want);
});

it.each(["float.traced.pt", "float.scripted.pt", "head.traced.pt", "head.scripted.pt"])(
  "%s gives PyTorch's numbers",
  async (name) => {
    const { got, want } = await outputs(name);
    // Sums are rounded in another order.
    got.forEach((value, at) => expect(Math.abs(value - want[at]!)).toBeLessThan(1e-5));
  },
);
