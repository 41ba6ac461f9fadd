import { it, expect } from "vitest";
import { readFileSync } from "node:fs";
import { load, compile, requestDevice, float32 } from "../../src/node.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
const D = "../shared/data/";
it("float", async () => {
  using device = await requestDevice();
  const model = await load(readFileSync(D + "models/mobilenetv2-float.onnx"));
  console.log(Object.entries(model.inputs), model.graph.nodes.length);
  const x = parseNpy(readFileSync(D + "refs/mobilenetv2-float.input.npy"));
  const y = parseNpy(readFileSync(D + "refs/mobilenetv2-float.logits.npy"));
  const t0 = performance.now();
  using s = await compile(model as never, device);
  console.log("compile", performance.now() - t0);
  for (const b of [1, 1, 1, 8, 8]) {
    const t = performance.now();
    const out = (await s.run({ input: float32([b, 3, 224, 224], (x.data as Float32Array).subarray(0, b * 3 * 224 * 224)) }))["logits"]!;
    console.log(b, "ms/img", (performance.now() - t) / b);
    let worst = 0, sc = 0;
    for (let i = 0; i < out.data.length; i++) { worst = Math.max(worst, Math.abs(Number(out.data[i]) - Number(y.data[i]))); sc = Math.max(sc, Math.abs(Number(y.data[i]))); }
    console.log("worst", worst, "scale", sc);
  }
});
