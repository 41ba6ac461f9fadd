// Whether two outputs are the same answer. No time counts before this says yes.

import { argmax, ErrorSum } from "../../src/metrics.ts";
import { formatShape, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";

/** What was compared and how it came out. */
export interface Agreement {
  readonly agrees: boolean;
  /** Whose output is taken for right. */
  readonly against: string;
  /** In words: the figures, and where it failed, the bound. */
  readonly detail: string;
}

/** Of the greatest magnitude: sums in another order differ by about 1e-6, a wrong kernel by far more. */
const FLOAT_BOUND = 1e-3;
/** dB. Runtimes round ties in other ways and layers pass that on: about 40. Noise alone gives 0. */
const SQNR_BOUND = 20;

type Numbers = ArrayLike<number>;

/** Float results: the worst difference, relative to the greatest value. */
export function floatAgreement(got: Numbers, want: Numbers, against: string): Agreement {
  let [most, worst, wrong] = [0, 0, got.length !== want.length];
  for (let index = 0; index < want.length; index++) {
    const [a = NaN, b = NaN] = [got[index], want[index]];
    most = Math.max(most, Math.abs(b));
    worst = Math.max(worst, Math.abs(a - b));
    wrong ||= !Number.isFinite(a);
  }
  const relative = worst / most;
  const agrees = !wrong && relative <= FLOAT_BOUND;
  const found = wrong ? describe(got, want) : `worst difference ${relative.toExponential(1)}`;
  const bound = agrees ? "" : `; at most ${FLOAT_BOUND} of the greatest is allowed`;
  return { agrees, against, detail: found + bound };
}

function describe(got: Numbers, want: Numbers): string {
  if (got.length !== want.length) return `${got.length} values instead of ${want.length}`;
  return "values that are not finite";
}

/** Logits of an int8 model, `rows` pictures: SQNR, and the same class wherever the reference's lead is
 *  greater than the noise could undo. */
export function logitsAgreement(
  got: Numbers,
  want: Numbers,
  rows: number,
  against: string,
): Agreement {
  if (got.length !== want.length || Array.from(got).some((value) => !Number.isFinite(value)))
    return { agrees: false, against, detail: describe(got, want) };
  const sum = new ErrorSum();
  sum.add(want, got);
  const columns = want.length / rows;
  const noise = Math.sqrt(sum.noise / want.length);
  let [same, decided] = [0, 0];
  for (let row = 0; row < rows; row++) {
    const part = (values: Numbers) =>
      Array.from({ length: columns }, (_, column) => values[row * columns + column] ?? NaN);
    const [theirs, ours] = [part(want), part(got)];
    const [first, second] = theirs.toSorted((a, b) => b - a);
    if ((first ?? 0) - (second ?? 0) <= 4 * noise) continue;
    decided++;
    if (argmax(ours) === argmax(theirs)) same++;
  }
  const agrees = sum.sqnrDb > SQNR_BOUND && same === decided;
  const bound = agrees ? "" : `; above ${SQNR_BOUND} dB and the same classes are asked for`;
  const classes = `${same} of ${decided} clear classes`;
  return { agrees, against, detail: `SQNR ${sum.sqnrDb.toFixed(1)} dB, ${classes}${bound}` };
}

/** Integers: equal. */
export function exactAgreement(got: Numbers, want: Numbers, against: string): Agreement {
  let [differ, worst] = [Math.abs(got.length - want.length), 0];
  for (let index = 0; index < want.length; index++) {
    const step = Math.abs((got[index] ?? NaN) - (want[index] ?? NaN));
    if (step === 0) continue;
    differ++;
    worst = Math.max(worst, step);
  }
  const detail = differ === 0 ? "equal" : `${differ} of ${want.length} differ, by ${worst} at most`;
  return { agrees: differ === 0, against, detail };
}

/** The only output of a classifier. Throws where there is none or more than one. */
export function onlyOutput(outputs: Tensors, who: string): Tensor {
  const all = Object.values(outputs);
  const [first] = all;
  if (first && all.length === 1) return first;
  const got = Object.entries(outputs).map(([name, { shape }]) => name + formatShape(shape));
  throw new Error(
    `bench: ${who} must give one output; got ${got.join(", ") || "none"}. Cut the model to one output.`,
  );
}
