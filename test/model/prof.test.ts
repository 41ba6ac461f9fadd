import { it } from "vitest";
import { readFileSync } from "node:fs";
import { load, requestDevice, float32, prepare } from "../../src/node.ts";
import { Session } from "../../src/session.ts";
import { Program } from "../../src/gpu/program.ts";
import { fuse } from "../../src/quantize/fuse.ts";
const D = "../shared/data/";
async function prof(device: any, graph: any, label: string) {
  const session = new Session(graph, device);
  const plan = session.planFor(new Map([["N", 1]]));
  const program = await Program.create(device, plan);
  const p = program as any;
  const x = float32([1, 3, 224, 224], new Float32Array(3 * 224 * 224).map((_, i) => ((i * 7919) % 255) / 127.5 - 1));
  await program.run(new Map([["input", x]]));
  const times = new Map<string, number>(); let total = 0; const rows: [string, number][] = [];
  const t00 = performance.now(); await program.run(new Map([["input", x]])); const whole = performance.now() - t00;
  for (let i = 0; i < plan.steps.length; i++) {
    let best = 1e9;
    for (let r = 0; r < 2; r++) {
      const t = performance.now();
      const e = device.gpu.createCommandEncoder(); const pass = e.beginComputePass();
      const d = p.dispatchesForBench[i];
      pass.setPipeline(d.pipeline); pass.setBindGroup(0, d.group); pass.dispatchWorkgroups(...d.grid); pass.end();
      device.gpu.queue.submit([e.finish()]); await device.gpu.queue.onSubmittedWorkDone();
      best = Math.min(best, performance.now() - t);
    }
    const s = plan.steps[i]!;
    times.set(s.shader, (times.get(s.shader) ?? 0) + best); total += best; rows.push([s.shader + " " + s.node + " " + JSON.stringify(s.uniforms).slice(0, 160), best]);
  }
  console.log(label, "whole", whole.toFixed(0), "sum", total.toFixed(0), [...times].map(([a, b]) => a + ": " + b.toFixed(0)).join(", "));
  if (process.env.ROWS) for (const [r, t] of rows.sort((a, b) => b[1] - a[1]).slice(0, 12)) console.log("   ", t.toFixed(1), r);
  session.dispose(); program.dispose();
}
it("prof", async () => {
  using device = await requestDevice();
  const model = await load(readFileSync(D + "models/mobilenetv2-float.onnx")) as never;
  await prof(device, fuse((model as any).graph), "float");
  await prof(device, prepare(model).graph, "observed");
  const q = await load(readFileSync("/tmp/q.onnx"));
  await prof(device, q.graph, "int8");
});
