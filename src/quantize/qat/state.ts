// The state of quantizers: what an observer knows before it saw anything, what a range makes of it, and the
// parameters to quantize by. A state is never changed in place.

import { paramsOfRange } from "../../graph/qparams.ts";
import type { QParams } from "../../graph/value.ts";
import { clamp, fl, rint } from "../../tensor/rounding.ts";
import { float32, type Tensor } from "../../tensor/tensor.ts";
import { activationRange } from "../qconfig.ts";
import type { Range } from "../qparams.ts";
import { floatsOf, type Qat, type Quantizer } from "./model.ts";

type Entries = readonly (readonly [string, Tensor])[];

const slicesOf = (count: number | undefined): number[] => (count === undefined ? [] : [count]);

/** The entries of `quantizer` for `range`: one slice, or `count`. */
export function entriesOf(
  quantizer: Quantizer,
  { min, max }: Range,
  count: number | undefined,
): Entries {
  const shape = slicesOf(count);
  const chosen = Array.from(min, (low, c) => paramsOfRange(quantizer.rule, low, max[c] ?? NaN));
  const bounds = new Float32Array(2 * min.length);
  bounds.set(min);
  bounds.set(max, min.length);
  return [
    [quantizer.range, float32([2, ...shape], bounds)],
    [
      quantizer.scale,
      float32(
        shape,
        Float32Array.from(chosen, ({ scale }) => scale),
      ),
    ],
    [
      quantizer.zeroPoint,
      float32(
        shape,
        Float32Array.from(chosen, ({ zeroPoint }) => zeroPoint),
      ),
    ],
  ];
}

/** PyTorch's observer at first: Infinity … −Infinity, scale 1, zero point 0. */
export function unseen(quantizer: Quantizer, count: number | undefined): Entries {
  const min = new Float32Array(count ?? 1).fill(Infinity);
  return entriesOf(quantizer, { min, max: min.map((x) => -x) }, count);
}

/** Scale and zero point of the state, as they are used, docs/quantization.md (19), with the range of an activation. */
export function paramsOf(qat: Qat, { spec, rule, axis, scale, zeroPoint }: Quantizer): QParams {
  const { qmin, qmax } = rule;
  const least = fl(spec.eps ?? 2 ** -23);
  return {
    dtype: spec.dtype,
    scale: floatsOf(qat, scale).data.map((s) => Math.max(s, least)),
    zeroPoint: Int32Array.from(floatsOf(qat, zeroPoint).data, (z) => clamp(rint(z), qmin, qmax)),
    ...(axis === undefined ? {} : { axis }),
    ...activationRange(spec),
  };
}
