// Defines what a page and its worker say to each other. The page says "hello", and the worker answers "ready".
// Every other request has an id and gets exactly one answer ("done" or "failed"); only "progress" comes in between.

import type { ErrorCode } from "./errors.ts";
import type { AdapterFacts, Memory } from "./gpu/device.ts";
import type { JobProgress, JobResult, QuantizeJob } from "./job.ts";
import type { JobPicture, RowInput } from "./jobPictures.ts";
import type { TrainJob, TrainJobResult } from "./trainJob.ts";

/** The worker's device: what it is, and what is held on it now. */
export interface WorkerStatus {
  readonly adapter: AdapterFacts;
  readonly memory: Memory;
}

/** A picture as its model takes it, or why it cannot be read (the facts of a PictureError). */
export type PictureRow =
  | { readonly row: Float32Array }
  | { readonly broken: { readonly problem: string; readonly wayOut: string } };

/** What a worker does: by its name what it is given and what it gives. All of it is plain data. */
export interface Jobs {
  readonly quantize: { readonly job: QuantizeJob; readonly result: JobResult };
  readonly train: { readonly job: TrainJob; readonly result: TrainJobResult };
}

export type JobKind = keyof Jobs;
export type AnyResult = Jobs[JobKind]["result"];

/** What any request may be answered with. */
export type Result = AnyResult | WorkerStatus | PictureRow;

/** A job and its name. */
export type NamedRequest = {
  [K in JobKind]: { readonly type: K; readonly job: Jobs[K]["job"] };
}[JobKind];

export type Request =
  /** Asks whether the worker's script runs. */
  | { readonly type: "hello" }
  | { readonly type: "status"; readonly id: number }
  /** What a worker asks of the worker that decodes its pictures: pictureWorker.ts. */
  | {
      readonly type: "row";
      readonly id: number;
      readonly picture: JobPicture;
      readonly input: RowInput;
    }
  | (NamedRequest & { readonly id: number })
  /** Ends the request of that id, which then answers "failed". */
  | { readonly type: "abort"; readonly id: number };

export type Answer =
  | { readonly type: "ready" }
  | { readonly type: "progress"; readonly id: number; readonly progress: JobProgress }
  | { readonly type: "done"; readonly id: number; readonly result: Result }
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
