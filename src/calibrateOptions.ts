// What a calibration may be told, and what it tells meanwhile.

import type { Device } from "./gpu/device.ts";
import type { NonFiniteRule } from "./graph/finite.ts";

export interface CalibrationProgress {
  readonly phase: "observe" | "correct bias";
  /** Samples done in this phase. */
  readonly samples: number;
  /** Of so many, where known. */
  readonly total?: number;
}

export interface CalibrateOptions {
  readonly device: Device;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: CalibrationProgress) => void;
  /** Samples used to correct biases; false or 0 leaves them alone. Default 32. */
  readonly biasCorrection?: false | number;
  /** Number of samples in `data`, for progress. */
  readonly total?: number;
  /** Inputs with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" runs them. Values whose range is
   *  observed must be finite either way. */
  readonly nonFinite?: NonFiniteRule;
}
