// The worker's side: requests in, answers out. One idea: one device, kept between requests, and one
// job at a time; an abort overtakes the queue, and a lost device is asked for again.

import { WebGpuQuantError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import { runJob, type JobOptions } from "./job.ts";
import { runTrainJob } from "./trainJob.ts";
import type {
  AnyResult,
  Answer,
  ErrorFacts,
  NamedRequest,
  Port,
  Request,
  WorkerStatus,
} from "./workerMessages.ts";

/** Do what `request` says. */
function perform(request: NamedRequest, options: JobOptions): Promise<AnyResult> {
  return request.type === "train"
    ? runTrainJob(request.job, options)
    : runJob(request.job, options);
}

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

  const runNamed = async (
    named: NamedRequest & { readonly id: number },
    signal: AbortSignal,
  ): Promise<AnyResult> => {
    signal.throwIfAborted();
    return await perform(named, {
      device: await currentDevice(),
      signal,
      onProgress: (progress) => answer({ type: "progress", id: named.id, progress }),
    });
  };

  const settle = async (id: number, work: () => Promise<AnyResult | WorkerStatus>) => {
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
      case "hello":
        answer({ type: "ready" });
        return;
      case "status":
        void settle(data.id, status);
        return;
      case "quantize":
      case "train": {
        const { id } = data;
        const controller = new AbortController();
        running.set(id, controller);
        queue = queue.then(() => settle(id, () => runNamed(data, controller.signal)));
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
