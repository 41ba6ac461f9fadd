// What a page and its worker say to each other. One idea: every request has an id, every request gets
// exactly one answer ("done" or "failed"), and only "progress" comes in between.

import type { ErrorCode } from "./errors.ts";
import type { AdapterFacts, Memory } from "./gpu/device.ts";
import type { JobProgress, JobResult, QuantizeJob } from "./job.ts";

/** The worker's device: what it is, and what is held on it now. */
export interface WorkerStatus {
  readonly adapter: AdapterFacts;
  readonly memory: Memory;
}

export type Request =
  | { readonly type: "status"; readonly id: number }
  | { readonly type: "quantize"; readonly id: number; readonly job: QuantizeJob }
  /** Ends the request of that id, which then answers "failed". */
  | { readonly type: "abort"; readonly id: number };

export type Answer =
  | { readonly type: "progress"; readonly id: number; readonly progress: JobProgress }
  | { readonly type: "done"; readonly id: number; readonly result: JobResult | WorkerStatus }
  | { readonly type: "failed"; readonly id: number; readonly error: ErrorFacts };

/** An error as data: cloning one would lose its class and fields. */
export interface ErrorFacts {
  readonly name: string;
  readonly message: string;
  /** Of this library's errors. */
  readonly code?: ErrorCode;
}

/** The part of Worker, MessagePort and a worker's global scope that messages need. */
export interface Port {
  postMessage(message: unknown, transfer: Transferable[]): void;
  onmessage: ((event: MessageEvent) => void) | null;
}
