// The worker's side: requests in, answers out. One idea: one device, kept between requests, and one
// job at a time; an abort overtakes the queue, and a lost device is asked for again.

import { WebGpuQuantError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import { runJob, type JobResult, type QuantizeJob } from "./job.ts";
import type { Answer, ErrorFacts, Port, Request, WorkerStatus } from "./workerMessages.ts";

/** Answer the requests that come through `port`, on a device from `request`. */
export function serve(port: Port, request: () => Promise<Device>): void {
  const running = new Map<number, AbortController>();
  let device: Promise<Device> | undefined;
  let queue: Promise<void> = Promise.resolve();
  const answer = (message: Answer, transfer: Transferable[] = []): void =>
    port.postMessage(message, transfer);

  const currentDevice = (): Promise<Device> => {
    if (!device) {
      const opened = request();
      const forget = (): void => {
        if (device === opened) device = undefined;
      };
      device = opened;
      opened.then(({ lost }) => void lost.then(forget), forget);
    }
    return device;
  };

  const status = async (): Promise<WorkerStatus> => {
    const { facts, memory } = await currentDevice();
    return { adapter: facts, memory };
  };

  const quantize = async (
    id: number,
    job: QuantizeJob,
    signal: AbortSignal,
  ): Promise<JobResult> => {
    signal.throwIfAborted();
    return await runJob(job, {
      device: await currentDevice(),
      signal,
      onProgress: (progress) => answer({ type: "progress", id, progress }),
    });
  };

  const settle = async (id: number, work: () => Promise<JobResult | WorkerStatus>) => {
    try {
      const result = await work();
      const transfer = "file" in result ? [result.file.buffer as ArrayBuffer] : [];
      answer({ type: "done", id, result }, transfer);
    } catch (error) {
      answer({ type: "failed", id, error: factsOf(error) });
    } finally {
      running.delete(id);
    }
  };

  port.onmessage = ({ data }: MessageEvent<Request>): void => {
    switch (data.type) {
      case "status":
        void settle(data.id, status);
        return;
      case "quantize": {
        const { id, job } = data;
        const controller = new AbortController();
        running.set(id, controller);
        queue = queue.then(() => settle(id, () => quantize(id, job, controller.signal)));
        return;
      }
      case "abort":
        running.get(data.id)?.abort();
        return;
      default:
        data satisfies never;
    }
  };
}

/** An error of this library keeps its words; any other is a bug here, and says so. */
function factsOf(error: unknown): ErrorFacts {
  if (error instanceof WebGpuQuantError) {
    return { name: error.name, code: error.code, message: error.message };
  }
  if (error instanceof DOMException) return { name: error.name, message: error.message };
  const name = error instanceof Error ? error.name : "Error";
  const message = error instanceof Error ? error.message : String(error);
  return { name, message: `${message} (This is a bug of webgpu-quant: please report it.)` };
}
