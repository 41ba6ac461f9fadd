// Answers a page's requests in a worker: one device, kept between requests, and one job at a time. An abort
// overtakes the queue, and a lost device is asked for again.

import { PictureError, WebGpuQuantError } from "./errors.ts";
import type { Device } from "./gpu/device.ts";
import { runJob, type JobOptions } from "./job.ts";
import { rowOf, type JobPicture, type RowInput } from "./jobPictures.ts";
import { PictureWorker, type Spawn } from "./pictureWorker.ts";
import { runTrainJob } from "./trainJob.ts";
import type {
  AnyResult,
  Answer,
  ErrorFacts,
  NamedRequest,
  PictureRow,
  Port,
  Request,
  Result,
  WorkerStatus,
} from "./workerMessages.ts";

/** Do what `request` says. */
function perform(request: NamedRequest, options: JobOptions): Promise<AnyResult> {
  return request.type === "train"
    ? runTrainJob(request.job, options)
    : runJob(request.job, options);
}

async function pictureRow(picture: JobPicture, input: RowInput): Promise<PictureRow> {
  try {
    return { row: await rowOf(picture, input) };
  } catch (error) {
    if (!(error instanceof PictureError)) throw error;
    return { broken: { problem: error.problem, wayOut: error.wayOut } };
  }
}

/** The buffers of `result` to hand over instead of copying. */
function buffersOf(result: Result): Transferable[] {
  if ("file" in result) return [result.file.buffer as ArrayBuffer];
  return "row" in result ? [result.row.buffer as ArrayBuffer] : [];
}

/**
 * Answers the requests that come through `port`.
 * @param request opens a device; asked again after a loss
 * @param spawn starts another worker that serves, for the pictures of a job; without it they are decoded in
 *   this thread, where an abort waits for the picture under way
 */
export function serve(port: Port, request: () => Promise<Device>, spawn?: Spawn): void {
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
    using pictures = spawn && new PictureWorker(spawn);
    return await perform(named, {
      device: await currentDevice(),
      signal,
      ...(pictures ? { rowOf: pictures.rowOf } : {}),
      onProgress: (progress) => answer({ type: "progress", id: named.id, progress }),
    });
  };

  const settle = async (id: number, work: () => Promise<Result>) => {
    try {
      const result = await work();
      answer({ type: "done", id, result }, buffersOf(result));
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
      case "row":
        void settle(data.id, () => pictureRow(data.picture, data.input));
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
