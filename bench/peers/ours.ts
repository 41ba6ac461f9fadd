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

/** What runs cost this thread: from each command encoder to the end of its submit, which nothing waits
 *  in between. Returns a function that runs `work` and keeps the sum of its submits, ms, in `times`. */
function watchReplays({ gpu }: Device, times: number[]) {
  const [create, submit] = [gpu.createCommandEncoder.bind(gpu), gpu.queue.submit.bind(gpu.queue)];
  let begun: number | undefined;
  let sum = 0;
  gpu.createCommandEncoder = (descriptor) => {
    begun ??= performance.now();
    return create(descriptor);
  };
  gpu.queue.submit = (buffers) => {
    const start = begun ?? performance.now();
    submit(buffers);
    sum += performance.now() - start;
    begun = undefined;
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    sum = 0;
    const result = await work();
    times.push(sum);
    return result;
  };
}

export function ours(openDevice: () => Promise<Device>): Runtime {
  return {
    name: "ours",
    takes: ["float32", "int8"],
    async open(file, batch): Promise<Runner> {
      const device = await openDevice();
      const peak = watchPeak(device);
      const replays: number[] = [];
      const watched = watchReplays(device, replays);
      try {
        const model: Model = await load(file);
        const start = performance.now();
        const session = await compile(model as Model<"float" | "quantized">, device);
        const program = await session.prepareFor(batchDims(session.graph, batch));
        const compileMs = performance.now() - start;
        const { plan } = program;
        return {
          run: (inputs) => watched(() => session.run(inputs)),
          gpuBytes: peak,
          replayMs: () => replays,
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
