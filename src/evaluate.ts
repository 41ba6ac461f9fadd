// evaluate: how often a classifier is right, and how close it stays to a reference model.

import { InputError, NonFiniteError } from "./errors.ts";
import { nonFiniteOf } from "./finite.ts";
import { argmax, ErrorSum, inTop, median } from "./metrics.ts";
import type { Session } from "./session.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** One batch with the labels of its samples. */
export interface LabelledBatch {
  readonly tensors: Tensors;
  readonly labels: readonly number[];
}

/** What one sample gave. */
export interface SampleResult {
  /** Its place in the data, from 0 on. */
  readonly index: number;
  /** The class of the greatest output, and that output. */
  readonly class: number;
  readonly score: number;
  /** The reference's class; only with a reference. */
  readonly referenceClass?: number;
}

export interface EvaluateOptions {
  /** The model that `agreement` and `sqnrDb` compare with; usually the float one. */
  readonly reference?: Session;
  /** Added to each label: 1 for models whose class 0 is "background". */
  readonly labelOffset?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly samples: number; readonly total?: number }) => void;
  readonly total?: number;
  /** Called for every sample, in the data's order. */
  readonly onSample?: (result: SampleResult) => void;
}

export interface Evaluation {
  /** Samples. */
  readonly count: number;
  /** Percent. */
  readonly top1: number;
  readonly top5: number;
  /** Percent of samples with the reference's class; only with a reference. */
  readonly agreement?: number;
  /** Of all logits against the reference's; only with a reference. */
  readonly sqnrDb?: number;
  readonly referenceTop1?: number;
  /** Wall time of one sample, upload and read-back included. */
  readonly latencyMs: { readonly median: number };
  readonly referenceLatencyMs?: { readonly median: number };
}

/** NaN has no rank: a model that gives one is broken, not merely wrong. */
function checkLogits(session: Session, logits: Float32Array, batch: number): void {
  const found = nonFiniteOf(logits);
  if (!found) return;
  const [output = ""] = session.graph.outputs;
  throw new NonFiniteError("evaluate", output, batch, found.count, found.first);
}

/** Run a classifier (one input batch, one output of logits) over `data`. */
export async function evaluate(
  session: Session,
  data: Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>,
  options: EvaluateOptions = {},
): Promise<Evaluation> {
  const { reference, labelOffset = 0, signal, onProgress, onSample, total } = options;
  const latencies: number[] = [];
  const referenceLatencies: number[] = [];
  const error = new ErrorSum();
  let batch = 0;
  let [count, top1, top5, agreed, referenceTop1] = [0, 0, 0, 0, 0];
  const timed = async (of: Session, tensors: Tensors, samples: number, into: number[]) => {
    await of.program(tensors); // compile outside the clock
    const start = performance.now();
    const outputs = await of.run(tensors, signal ? { signal } : {});
    into.push((performance.now() - start) / samples);
    return outputs[of.graph.outputs[0] ?? ""]?.data as Float32Array;
  };
  for await (const { tensors, labels } of data) {
    signal?.throwIfAborted();
    const logits = await timed(session, tensors, labels.length, latencies);
    checkLogits(session, logits, batch++);
    const expected =
      reference && (await timed(reference, tensors, labels.length, referenceLatencies));
    const classes = logits.length / labels.length;
    labels.forEach((label, row) => {
      const values = logits.subarray(row * classes, (row + 1) * classes);
      if (inTop(values, label + labelOffset, 1)) top1++;
      if (inTop(values, label + labelOffset, 5)) top5++;
      const index = count + row;
      const own = argmax(values);
      const score = values[own] ?? NaN;
      if (!expected) return onSample?.({ index, class: own, score });
      const reals = expected.subarray(row * classes, (row + 1) * classes);
      if (inTop(reals, label + labelOffset, 1)) referenceTop1++;
      const referenceClass = argmax(reals);
      if (own === referenceClass) agreed++;
      error.add(reals, values);
      onSample?.({ index, class: own, score, referenceClass });
    });
    count += labels.length;
    onProgress?.({ samples: count, ...(total === undefined ? {} : { total }) });
  }
  if (count === 0)
    throw new InputError(
      "evaluate: data must hold at least one sample; got none. Check the data source.",
    );
  const percent = (hits: number) => (100 * hits) / count;
  return {
    count,
    top1: percent(top1),
    top5: percent(top5),
    ...(reference
      ? {
          agreement: percent(agreed),
          sqnrDb: error.sqnrDb,
          referenceTop1: percent(referenceTop1),
          referenceLatencyMs: { median: median(referenceLatencies) },
        }
      : {}),
    latencyMs: { median: median(latencies) },
  };
}
