// What a hostile PyTorch file may ask for: every limit by name, and how much of it may be copied. A
// breach is a FormatError with its byte offset.

import { FormatError } from "../../errors.ts";
import { Budget, type ZipRules } from "../zip/rules.ts";

export const TORCH_LIMITS = {
  /** Bytes of the file. */
  fileBytes: 2 ** 31 - 1,
  /** Entries of a zip file. */
  entries: 100_000,
  /** Inflated bytes per deflated byte. */
  expansion: 100,
  /** Bytes of one name or string. */
  nameBytes: 64 * 1024,
  /** Objects one pickle may make: lists, tuples, maps, records, tensors, long integers. */
  objects: 200_000,
  /** Values on a pickle's stack, or in its memo. */
  stack: 1_000_000,
  /** Values inside values, in pickles; brackets and blocks inside each other, in code. */
  nesting: 100,
  /** Axes of a tensor. */
  rank: 32,
  /** One size of a tensor. */
  dimSize: 2 ** 31 - 1,
  /** Bytes of all TorchScript code of an archive. */
  codeBytes: 16 * 2 ** 20,
  /** Expressions that the evaluation of one `forward` may visit. */
  steps: 1_000_000,
  /** Expressions inside expressions while `forward` runs, through all calls. */
  depth: 1000,
  /** Calls inside calls. */
  calls: 64,
} as const;

/** Beside views on the file's bytes, a reader may copy twice the file and 16 MiB: what half precision,
 *  strides and deflated code need. */
const COPIES = { perByte: 2, base: 16 * 2 ** 20 };

/** A FormatError about a PyTorch file; `offset` in bytes from the start of the file. */
export function damaged(problem: string, offset?: number): FormatError {
  return new FormatError("PyTorch file", problem, "Save or download the file again.", offset);
}

/** How a zip file of PyTorch is read. */
export const TORCH_ZIP: ZipRules = { ...TORCH_LIMITS, damaged };

/** The account of a file of `fileBytes`. */
export function torchBudget(fileBytes: number): Budget {
  return new Budget(COPIES.perByte * fileBytes + COPIES.base, damaged);
}
