// This library as a contestant: a device of its own for each model, so that its memory can be told
// apart, and nothing but the public verbs.

import { compile, load, type Device, type Model } from "../../src/index.ts";
import type { Plan } from "../../src/plan/plan.ts";
import type { Runner, Runtime } from "../core/platform.ts";
import { batchDims } from "../models/models.ts";

/** Kernels that a plan compiles. */
function pipelinesOf(plan: Plan): number {
  const key = ({ shader, overrides }: Plan["steps"][number]) =>
    `${shader} ${JSON.stringify(Object.entries(overrides).sort())}`;
  return new Set(plan.steps.map(key)).size;
}

/** Bytes of `device`'s buffers at their most, from now on. */
function watchPeak(device: Device): () => number {
  const create = device.createBuffer.bind(device);
  let peak = device.memory.bytes;
  device.createBuffer = (descriptor) => {
    const buffer = create(descriptor);
    peak = Math.max(peak, device.memory.bytes);
    return buffer;
  };
  return () => peak;
}

export function ours(openDevice: () => Promise<Device>): Runtime {
  return {
    name: "ours",
    takes: ["float32", "int8"],
    async open(file, batch): Promise<Runner> {
      const device = await openDevice();
      const peak = watchPeak(device);
      try {
        const model: Model = await load(file);
        const start = performance.now();
        const session = await compile(model as Model<"float" | "quantized">, device);
        const program = await session.prepareFor(batchDims(session.graph, batch));
        const compileMs = performance.now() - start;
        const { plan } = program;
        return {
          run: (inputs) => session.run(inputs),
          gpuBytes: peak,
          counts: { pipelines: pipelinesOf(plan), dispatches: plan.steps.length, compileMs },
          dispose: () => device.dispose(),
        };
      } catch (error) {
        device.dispose();
        throw error;
      }
    },
  };
}
