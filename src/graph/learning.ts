// Nodes that only training graphs have: losses, and gradients that no other nodes make up.

import type { Common } from "./node.ts";

/** A row with this label is not counted: ignore_index of PyTorch's cross_entropy. */
export const IGNORED_LABEL = -100;

interface Smoothed {
  /** ε of label smoothing, 0 … 1: the target is 1 − ε on the label and ε / C more on every class. */
  readonly labelSmoothing: number;
}

/** −Σ target · log softmax(logits), a row of logits at a time, and 0 where the label is −100:
 *  docs/quantization.md (75). ONNX's word is SoftmaxCrossEntropyLoss, reduction none. inputs: logits (…, C),
 *  labels (…), int32 or int64, 0 … C − 1 or −100; another is an InputError of the run. Output (…). */
export interface CrossEntropy extends Common, Smoothed {
  readonly op: "CrossEntropy";
}

/** Its gradient by the logits, dY · (softmax(logits) − target): docs/quantization.md (76). inputs: logits
 *  (…, C), labels (…), dY (…). */
export interface CrossEntropyGrad extends Common, Smoothed {
  readonly op: "CrossEntropyGrad";
}

/** The gradient of Gather by its data: at each place of the axis, the sum of dY over the indices that named
 *  it, in their order, 0 where none did. inputs: dY, indices. `size`: that of the axis. */
export interface GatherGrad extends Common {
  readonly op: "GatherGrad";
  readonly axis: number;
  readonly size: number;
}

interface RecurrentGrad extends Common {
  /** The direction walked from the last step to the first. */
  readonly reverse: boolean;
}

/** One direction of an LSTM, walked back: docs/quantization.md (79). inputs: sums (T, B, 4·H), the arguments of the
 *  gates i, o, f, c at each step; R (4·H, H); initialC (B, H); dY (T, B, H); dLast (2, B, H), by Y_h and by Y_c;
 *  sequenceLens (B)?. outputs: dSums, of the sums' shape, and dFirst (2, B, H), by initialH and by initialC.
 *  Activations are Sigmoid, Tanh, Tanh. */
export interface LSTMGrad extends RecurrentGrad {
  readonly op: "LSTMGrad";
}

/** One direction of a GRU that resets behind the product, walked back: docs/quantization.md (79). inputs: sums
 *  (T, B, 4·H), the arguments of z and r, and of h what comes from x and what r scales; R (3·H, H); before
 *  (T, B, H), h before each step; dY (T, B, H); dLast (1, B, H); sequenceLens (B)?. outputs: dSums and dFirst
 *  (1, B, H). Activations are Sigmoid, Tanh. */
export interface GRUGrad extends RecurrentGrad {
  readonly op: "GRUGrad";
}

export type LearningNode = CrossEntropy | CrossEntropyGrad | GatherGrad | LSTMGrad | GRUGrad;
