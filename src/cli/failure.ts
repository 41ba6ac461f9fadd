// An error → what is printed, and the exit status.

import { WebGpuQuantError } from "../errors.ts";
import { forSurface } from "../wayOut.ts";
import { UsageError } from "./arguments.ts";

export interface Failure {
  /** For programs: the error's code, "usage", "interrupted" or "bug". */
  readonly code: string;
  readonly message: string;
  /** 1 failed, 2 wrong usage, 130 interrupted. */
  readonly status: number;
}

/** After Ctrl-C every error is the interruption; what is no error of ours is a bug. */
export function describeFailure(error: unknown, signal: AbortSignal): Failure {
  if (signal.aborted) {
    const message = "interrupted: the work was stopped and no file was left half written.";
    return { code: "interrupted", message, status: 130 };
  }
  if (error instanceof UsageError) return { code: error.code, message: error.message, status: 2 };
  if (error instanceof WebGpuQuantError)
    return { code: error.code, message: forSurface(error.message, "cli"), status: 1 };
  const reason = error instanceof Error ? error.message : String(error);
  const message = `bug: ${reason}. Please report this with the output of the same command under DEBUG=1.`;
  return { code: "bug", message, status: 1 };
}
