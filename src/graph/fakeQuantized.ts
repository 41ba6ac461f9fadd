// The nodes of quantization-aware training: numbers rounded to those that integers will stand for, the gradients
// through that, and the observer that chooses scale and zero point.

import type { Common } from "./node.ts";
import type { RangeRule } from "./qparams.ts";

/** What fake-quantization rounds to. Scale and zero point are values, float32: one element each, or one per
 *  slice of `axis`. A zero point is rounded and clamped to a value of q first, docs/quantization.md (19). */
export interface FakeQuantized {
  readonly qmin: number;
  readonly qmax: number;
  readonly axis?: number;
  /** Scales below it count as it: a learned one may fall so far. */
  readonly eps?: number;
  /** g of the gradients of scale and zero point: docs/quantization.md (20). 1 unless told. */
  readonly gradientScale?: number;
}

/** dequantize(quantize(x)) in float, docs/quantization.md (7). inputs: x, scale, zeroPoint. */
export interface FakeQuantize extends Common, FakeQuantized {
  readonly op: "FakeQuantize";
}

/** Its straight-through gradient. inputs: x, dY of x's shape, scale, zeroPoint. One output: dX, which is dY where
 *  x was not clamped, else 0; docs/quantization.md (18). Three: dX, dScale and dZeroPoint by (20). */
export interface FakeQuantizeGrad extends Common, FakeQuantized {
  readonly op: "FakeQuantizeGrad";
}

/** Sink. Moves the range of a tensor by this batch's, and chooses scale and zero point from it. inputs: x, and the
 *  variables range (2), least then greatest, scale (1) and zeroPoint (1); with `axis` of C slices, (2, C), (C),
 *  (C). A least of Infinity: nothing was seen yet. */
export interface MovingAverageObserve extends Common, RangeRule {
  readonly op: "MovingAverageObserve";
  readonly axis?: number;
  /** c of m ← m + c · (cur − m), docs/quantization.md (11); without it the range is this batch's alone. */
  readonly averagingConstant?: number;
}

export type FakeQuantizeNode = FakeQuantize | FakeQuantizeGrad | MovingAverageObserve;
