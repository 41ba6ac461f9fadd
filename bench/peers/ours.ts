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

/** ms of this thread, run by run. */
interface Replays {
  /** From each command encoder to the end of its submit, which nothing waits in between, without the uploads. */
  readonly replays: number[];
  /** Copying the inputs. */
  readonly uploads: number[];
}

/** What runs cost this thread, kept in `times` by the function that is returned: it runs `work`. */
function watchReplays({ gpu }: Device, times: Replays) {
  const { queue } = gpu;
  const create = gpu.createCommandEncoder.bind(gpu);
  const submit = queue.submit.bind(queue);
  const write = queue.writeBuffer.bind(queue);
  let begun: number | undefined;
  let replay = 0;
  let upload = 0;
  gpu.createCommandEncoder = (descriptor) => {
    begun ??= performance.now();
    return create(descriptor);
  };
  queue.writeBuffer = (...args) => {
    const start = performance.now();
    write(...args);
    const ms = performance.now() - start;
    upload += ms;
    if (begun !== undefined) begun += ms;
  };
  queue.submit = (buffers) => {
    const start = begun ?? performance.now();
    submit(buffers);
    replay += performance.now() - start;
    begun = undefined;
  };
  return async <T>(work: () => Promise<T>): Promise<T> => {
    replay = upload = 0;
    const result = await work();
    times.replays.push(replay);
    times.uploads.push(upload);
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
      const times: Replays = { replays: [], uploads: [] };
      const watched = watchReplays(device, times);
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
          threadMs: () => times,
          resubmit: () => program.resubmit(),
          idle: () => device.race(device.gpu.queue.onSubmittedWorkDone()),
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
