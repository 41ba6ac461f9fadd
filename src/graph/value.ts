// What a value is: dtype, shape and, where it is quantized, the parameters of its map to the reals.
// Quantization lives here, in the type of a value, and not in the name of an op.

import type { DType } from "../tensor/dtype.ts";

/** A size, or the name of one that is known only at run time ("batch"). */
export type Dim = number | string;

/** real = scale · (q − zeroPoint): docs/quantization.md (1). One pair per tensor (length 1), or one
 *  per slice of `axis`. dtype "int32" occurs on biases alone. */
export interface QParams {
  readonly dtype: "int8" | "uint8" | "int32";
  readonly scale: Float32Array;
  readonly zeroPoint: Int32Array;
  readonly axis?: number;
  /** Least and greatest q, where a reduced range narrows the dtype's own. */
  readonly qmin?: number;
  readonly qmax?: number;
}

/** The type of one value of a graph. `dtype` is that of the stored elements. */
export interface Value {
  readonly dtype: DType;
  readonly shape: readonly Dim[];
  readonly quant?: QParams;
}

const ranges = { int8: [-128, 127], uint8: [0, 255], int32: [-2147483648, 2147483647] } as const;

/** [qmin, qmax] of the parameters. */
export function rangeOf(quant: QParams): readonly [number, number] {
  const [least, greatest] = ranges[quant.dtype];
  return [quant.qmin ?? least, quant.qmax ?? greatest];
}
