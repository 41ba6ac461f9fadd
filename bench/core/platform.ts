// What a suite needs of the place it runs in. A browser page and a Node process each provide it; the
// suites know neither.

import type { Device } from "../../src/gpu/device.ts";
import type { Tensors } from "../../src/tensor/tensor.ts";
import type { TrainingBatch, TrainingNetwork } from "../models/cifar.ts";

export type Precision = "float32" | "int8";

export interface Counts {
  readonly pipelines: number;
  readonly dispatches: number;
  /** ms from a loaded model to one that is ready for its batch size. */
  readonly compileMs: number;
}

/** A model made ready by somebody, ours included. */
export interface Runner {
  run(inputs: Tensors): Promise<Tensors>;
  /** Bytes of GPU buffers at their most, where they are known. */
  readonly gpuBytes?: () => number;
  /** ms of this thread that each run so far spent on encoding and submitting, and on copying inputs, where that is known. */
  readonly threadMs?: () => Readonly<Record<"replays" | "uploads", readonly number[]>>;
  /** Encode and submit one run and wait for nothing but its errors, where that can be asked for; and wait until the
   *  adapter has done all that was submitted. */
  readonly resubmit?: () => Promise<void>;
  readonly idle?: () => Promise<void>;
  /** What one run is made of, where that is known. */
  readonly counts?: Counts;
  dispose(): Promise<void> | void;
}

/** Somebody who runs ONNX files: ours, or a peer. */
export interface Runtime {
  readonly name: string;
  readonly takes: readonly Precision[];
  /** Load the bytes of an ONNX file for a batch size. Throws where it cannot. */
  open(file: Uint8Array, batch: number): Promise<Runner>;
}

/** A network that somebody else trains. */
export interface Trained {
  /** One step: the loss before it, when all of it is done. */
  step(batch: TrainingBatch): Promise<number>;
  dispose(): void;
}

/** Another library that trains. */
export interface TrainingPeer {
  readonly name: string;
  /** Throws where it cannot. */
  open(network: TrainingNetwork): Promise<Trained>;
}

interface Missing {
  readonly name: string;
  readonly reason: string;
}

export interface Platform {
  /** Such as "Chromium 156" or "Node 20". */
  readonly name: string;
  /** A device of ours; the caller disposes it. */
  openDevice(): Promise<Device>;
  /** Ours first. */
  readonly runtimes: readonly Runtime[];
  /** Peers that are not here, and why. */
  readonly missing: readonly Missing[];
  readonly trainers: readonly TrainingPeer[];
  /** Libraries to train with that are not here, and why. */
  readonly missingTrainers: readonly Missing[];
  /** ms of processor time that this thread has had so far, where somebody knows it. */
  readonly threadTime?: () => Promise<number>;
  /** Whose outputs are taken for right; without one the reference interpreter's are. */
  readonly referee: Runtime | undefined;
  /** A line of progress. */
  say(line: string): void;
}
