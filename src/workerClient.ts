// Runs whole jobs in a worker, each as one promise with progress and abort. The worker is
// the caller's, made from a file of the page's own origin, so a strict content security policy holds:
//
//   const worker = new Worker(new URL("webgpu-quant/worker", import.meta.url), { type: "module" });
//   using quantizer = new WorkerClient(worker);
//   const { file } = await quantizer.quantize({ model, calibration, evaluation, preprocess });

/// <reference lib="esnext.disposable" preserve="true" />

import type { ErrorCode } from "./errors.ts";
import type { JobProgress, JobResult, QuantizeJob } from "./job.ts";
import type { TrainJob, TrainJobResult } from "./trainJob.ts";
import type { Answer, ErrorFacts, Port, Request, Result, WorkerStatus } from "./workerMessages.ts";

/** A failure in the worker: `name`, `code` and `message` are those of the error there. Without a code
 *  it is no error of this library; code "worker" means that the worker itself broke. */
export class WorkerError extends Error {
  override readonly name: string;
  readonly code: ErrorCode | "worker" | undefined;
  constructor({ name, message, code }: Omit<ErrorFacts, "code"> & { code?: ErrorCode | "worker" }) {
    super(message);
    this.name = name;
    this.code = code;
  }
}

export interface WorkerClientOptions {
  /** How long the worker's script may take to load and answer, in ms. Default 30,000. */
  readonly timeout?: number;
}

const TIMEOUT = 30_000; // ms: the script is some hundred kB

export interface WorkerJobOptions {
  /** Rejects with its reason once the worker has let go of the job. */
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: JobProgress) => void;
  /** Buffers of the job to hand over instead of copying; they are empty here afterwards. */
  readonly transfer?: readonly Transferable[];
}

const STOPPED = "Reload the page, and check that the worker's file is served.";
const SILENT =
  'Check that its script imports "webgpu-quant/worker", that the bundler kept that import, and that the file is ' +
  "served; a slow network needs a longer timeout: new WorkerClient(worker, { timeout }).";

interface Pending {
  resolve(result: Result): void;
  reject(reason: unknown): void;
  onProgress?: ((progress: JobProgress) => void) | undefined;
}

export class WorkerClient implements Disposable {
  readonly #port: Port & { terminate?(): void; close?(): void };
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #broken: WorkerError | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Takes over `port` and says hello: a worker that does not answer in time fails every request.
   * @param port a worker whose script is `webgpu-quant/worker`, or a port to one; dispose() ends it
   */
  constructor(port: Worker | MessagePort, { timeout = TIMEOUT }: WorkerClientOptions = {}) {
    this.#port = port;
    const problem = `it did not answer within ${timeout / 1000} s`;
    this.#timer = setTimeout(() => this.#break(problem, SILENT), timeout);
    port.onmessage = ({ data }: MessageEvent<Answer>) => this.#receive(data);
    if ("onerror" in port) {
      port.onerror = (event) =>
        this.#break(`it stopped; ${event.message || "its script could not be loaded"}`);
    }
    port.postMessage({ type: "hello" } satisfies Request, []);
  }

  /** The worker's adapter and the GPU memory it holds now. Throws NoWebGpuError, NoAdapterError (as
   *  WorkerError). */
  async status(): Promise<WorkerStatus> {
    return (await this.#ask((id) => ({ type: "status", id }), {})) as WorkerStatus;
  }

  /** `runJob` in the worker; jobs run one after the other. Throws what it throws, as WorkerError. */
  async quantize(job: QuantizeJob, options: WorkerJobOptions = {}): Promise<JobResult> {
    return (await this.#ask((id) => ({ type: "quantize", id, job }), options)) as JobResult;
  }

  /** `runTrainJob` in the worker. Aborted, it rejects once the checkpoint is stored; a job that resumes goes on
   *  from there. Throws what it throws, as WorkerError. */
  async train(job: TrainJob, options: WorkerJobOptions = {}): Promise<TrainJobResult> {
    return (await this.#ask((id) => ({ type: "train", id, job }), options)) as TrainJobResult;
  }

  async #ask(
    request: (id: number) => Request,
    { signal, onProgress, transfer = [] }: WorkerJobOptions,
  ): Promise<Result> {
    signal?.throwIfAborted();
    if (this.#broken) throw this.#broken;
    const id = this.#nextId++;
    const abort = (): void => this.#port.postMessage({ type: "abort", id } satisfies Request, []);
    try {
      return await new Promise<Result>((resolve, reject) => {
        this.#port.postMessage(request(id), [...transfer]);
        this.#pending.set(id, { resolve, reject, onProgress });
        signal?.addEventListener("abort", abort);
      });
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      this.#pending.delete(id);
      signal?.removeEventListener("abort", abort);
    }
  }

  #receive(answer: Answer): void {
    if (answer.type === "ready") return clearTimeout(this.#timer);
    const pending = this.#pending.get(answer.id);
    if (answer.type === "progress") pending?.onProgress?.(answer.progress);
    else if (answer.type === "done") pending?.resolve(answer.result);
    else pending?.reject(new WorkerError(answer.error));
  }

  #break(problem: string, wayOut = STOPPED): void {
    clearTimeout(this.#timer);
    this.#broken = new WorkerError({
      name: "WorkerError",
      code: "worker",
      message: `worker: ${problem}. ${wayOut}`,
    });
    for (const { reject } of this.#pending.values()) reject(this.#broken);
  }

  /** End the worker; what is pending rejects. */
  dispose(): void {
    this.#break("it was disposed", "Start another one.");
    this.#port.terminate?.();
    this.#port.close?.();
  }

  [Symbol.dispose](): void {
    this.dispose();
  }
}
