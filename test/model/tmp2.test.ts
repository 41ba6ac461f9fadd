import { it, expect } from "vitest";
import { readFileSync, writeFileSync } from "node:fs";
import { load, compile, requestDevice, float32, prepare, calibrate, convert, save, compare } from "../../src/node.ts";
import { parseNpy } from "../../src/tensor/npy.ts";
const D = "../shared/data/";
it("int8", async () => {
  using device = await requestDevice();
  const model = await load(readFileSync(D + "models/mobilenetv2-float.onnx")) as never;
  const x = parseNpy(readFileSync(D + "refs/mobilenetv2-float.input.npy"));
  const y = parseNpy(readFileSync(D + "refs/mobilenetv2-float.logits.npy"));
  const img = (i: number) => ({ input: float32([1, 3, 224, 224], (x.data as Float32Array).subarray(i * 3 * 224 * 224, (i + 1) * 3 * 224 * 224)) });
  const prepared = prepare(model);
  let t0 = performance.now();
  const cal = await calibrate(prepared, [0,1,2,3].map(img), { device, biasCorrection: 4, onProgress: (p) => console.log(p.phase, p.samples, device.memory, (performance.now()-t0).toFixed(0)) });
  const q = convert(cal);
  writeFileSync("/tmp/q.txt", q.toString());
  const bytes = save(q); console.log("bytes", bytes.length); writeFileSync("/tmp/q.onnx", bytes);
  using s = await compile(q, device);
  let sig = 0, noise = 0;
  for (let i = 0; i < 8; i++) {
    const t = performance.now();
    const out = (await s.run(img(i)))["logits"]!;
    const ms = performance.now() - t;
    for (let k = 0; k < 1001; k++) { const r = Number(y.data[i * 1001 + k]); sig += r * r; noise += (r - Number(out.data[k])) ** 2; }
    console.log(i, ms.toFixed(0), 10 * Math.log10(sig / noise));
  }
  const c = await compare(model, q, [img(5)], { device });
  console.log(c.slice(0, 10), c.length);
  console.log(device.memory);
  const again = await load(bytes) as never;
  using s2 = await compile(again, device);
  const a = (await s.run(img(3)))["logits"]!, b = (await s2.run(img(3)))["logits"]!;
  expect(Array.from(b.data as Float32Array)).toEqual(Array.from(a.data as Float32Array));
});
