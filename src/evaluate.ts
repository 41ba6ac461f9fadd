// evaluate: how often a model is right, and how close it stays to a reference model. The task says only what the
// outputs of a row and its label count for (scores.ts); batches, timing, carried state and the check for NaN are
// the same for all.

import { checkBatches, checkSession } from "./callerChecks.ts";
import { CarriedState, type StatePairs } from "./carriedState.ts";
import { InputError, NonFiniteError } from "./errors.ts";
import { checkInputs, type NonFiniteRule } from "./graph/finite.ts";
import { median } from "./metrics.ts";
import {
  Binary,
  Classification,
  LanguageModel,
  type BinaryScores,
  type ClassificationScores,
  type LanguageModelScores,
  type Scorer,
} from "./scores.ts";
import type { Session } from "./session.ts";
import { nonFiniteOf } from "./tensor/finite.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** One batch with the labels of its samples. */
export interface LabelledBatch {
  readonly tensors: Tensors;
  /** One a row of the output, in the output's order: of a sample, or of each position of a language
   *  model. `ignoreIndex` (−100) counts for nothing; with a reference all may. */
  readonly labels: readonly number[];
  /** A sequence begins here: carried state is zero again. True of the first batch. */
  readonly starts?: boolean;
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

/** classification: the label is the greatest of a row. language-model: the same at every position, with the
 *  likelihood of the label. binary: one probability a row, the label 0 or 1, or a probability itself. */
export type Task = "classification" | "language-model" | "binary";

export interface EvaluateOptions {
  /** Default: classification. */
  readonly task?: Task;
  /** The model that `agreement` and `sqnrDb` compare with; usually the float one. */
  readonly reference?: Session;
  /** The output that is judged. Default: the first that is not carried. */
  readonly output?: string;
  /** Recurrent state: an input of the model and the output that feeds it in the next run. */
  readonly state?: StatePairs;
  /** binary: the outputs are logits, not probabilities. */
  readonly logits?: boolean;
  /** Labels that count for nothing, as PyTorch's ignore_index. Default: −100. */
  readonly ignoreIndex?: number;
  /** Added to each label: 1 for models whose class 0 is "background". */
  readonly labelOffset?: number;
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: { readonly samples: number; readonly total?: number }) => void;
  readonly total?: number;
  /** Inputs with NaN or ±∞: "refuse", the default, throws NonFiniteError; "allow" runs them. The output that is
   *  judged must be finite either way. */
  readonly nonFinite?: NonFiniteRule;
  /** Called for every sample of a classification, in the data's order. */
  readonly onSample?: (result: SampleResult) => void;
}

/** What every task measures. */
export interface Measured {
  /** Rows with a label: samples, or positions of a language model. Of all rows where none has one. */
  readonly count: number;
  /** Wall time of one row, upload and read-back included. */
  readonly latencyMs: { readonly median: number };
  readonly referenceLatencyMs?: { readonly median: number };
}

export interface Evaluation extends Measured, ClassificationScores {}
export interface LanguageModelEvaluation extends Measured, LanguageModelScores {}
export interface BinaryEvaluation extends Measured, BinaryScores {}

/** Of each task. */
export interface Evaluations {
  readonly classification: Evaluation;
  readonly "language-model": LanguageModelEvaluation;
  readonly binary: BinaryEvaluation;
}

export type LabelledBatches = Iterable<LabelledBatch> | AsyncIterable<LabelledBatch>;

/** A session that is timed and checked, with its own carried state. */
class Judged {
  readonly latencies: number[] = []; // ms a row
  readonly #session: Session;
  readonly #state: CarriedState;
  readonly #output: string;
  readonly #signal: AbortSignal | undefined;
  readonly #nonFinite: NonFiniteRule | undefined;

  constructor(session: Session, { state = {}, output, signal, nonFinite }: EvaluateOptions) {
    this.#session = session;
    this.#state = new CarriedState(session, state);
    const { outputs } = session.graph;
    const carried = new Set(Object.values(state));
    this.#output = output ?? outputs.find((name) => !carried.has(name)) ?? "";
    if (!outputs.includes(this.#output)) {
      throw new InputError(
        `evaluate: the model has no output "${this.#output}" to judge; got outputs ` +
          `${outputs.join(", ")}. Name one of them.`,
      );
    }
    this.#signal = signal;
    this.#nonFinite = nonFinite;
  }

  /** The judged output of a batch. NaN has no rank: data or a model that have one are broken, not merely
   *  wrong. */
  async run(batch: LabelledBatch, index: number): Promise<Float32Array> {
    const tensors = this.#state.before(batch.tensors, index === 0 || batch.starts === true);
    const context = { verb: "evaluate", batch: index };
    checkInputs(this.#session.graph, tensors, context, this.#nonFinite);
    await this.#session.program(tensors); // compile outside the clock
    const start = performance.now();
    const outputs = await this.#session.run(tensors, {
      nonFinite: "allow", // was looked at above, outside the clock
      ...(this.#signal ? { signal: this.#signal } : {}),
    });
    this.latencies.push((performance.now() - start) / batch.labels.length);
    this.#state.after(outputs);
    const judged = outputs[this.#output];
    const data = judged?.data;
    if (!(data instanceof Float32Array)) {
      throw new InputError(
        `evaluate: output "${this.#output}" must be float32; got ${judged?.dtype}. ` +
          "Name the output of logits or probabilities.",
      );
    }
    const found = nonFiniteOf(judged);
    if (found)
      throw new NonFiniteError(
        "evaluate",
        { ...found, tensor: this.#output, kind: "output", batch: index },
        ["Check the preprocessing of that batch and the model's weights"],
      );
    return data;
  }
}

function scorerOf(options: EvaluateOptions): Scorer<object> {
  const { task = "classification", onSample, logits, labelOffset } = options;
  switch (task) {
    case "classification":
      return new Classification(
        (index, own, score, reference) =>
          onSample?.({
            index,
            class: own,
            score,
            ...(reference === undefined ? {} : { referenceClass: reference }),
          }),
        labelOffset,
      );
    case "language-model":
      return new LanguageModel();
    case "binary":
      return new Binary(logits);
    default:
      task satisfies never;
      throw new InputError(
        `evaluate: task must be classification, language-model or binary; got ${String(task)}. ` +
          "Choose one.",
      );
  }
}

/** Run a model over `data` and judge one of its outputs. Throws InputError for labels that do not fit,
 *  NonFiniteError for inputs and outputs that are no numbers. */
export async function evaluate<T extends Task = "classification">(
  session: Session,
  data: LabelledBatches,
  options: EvaluateOptions & { readonly task?: T } = {},
): Promise<Evaluations[T]> {
  checkSession("evaluate", session);
  checkBatches("evaluate", data);
  const { reference, labelOffset = 0, ignoreIndex = -100, signal, onProgress, total } = options;
  const scorer = scorerOf(options);
  const judged = new Judged(session, options);
  const beside = reference && new Judged(reference, options);
  let [batch, rows] = [0, 0];
  for await (const each of data) {
    signal?.throwIfAborted();
    const values = await judged.run(each, batch);
    const expected = beside && (await beside.run(each, batch));
    const { labels } = each;
    const width = values.length / labels.length;
    if (!Number.isInteger(width) || (expected && expected.length !== values.length)) {
      throw new InputError(
        `evaluate: batch ${batch}: ${labels.length} label(s) must divide the output evenly, the ` +
          `reference's alike; got ${values.length} values${expected ? ` and ${expected.length}` : ""}. ` +
          "Give one label a row of the output.",
      );
    }
    labels.forEach((label, row) => {
      const [from, to] = [row * width, (row + 1) * width];
      scorer.add({
        values: values.subarray(from, to),
        reference: expected?.subarray(from, to),
        label: label === ignoreIndex ? undefined : label + labelOffset,
        index: rows + row,
      });
    });
    batch++;
    rows += labels.length;
    onProgress?.({ samples: rows, ...(total === undefined ? {} : { total }) });
  }
  if (scorer.count === 0 && !(beside && rows > 0)) {
    throw new InputError(
      "evaluate: data must hold at least one labelled sample; got none. Check the data source.",
    );
  }
  const found = {
    count: scorer.count || rows,
    ...scorer.scores(),
    ...(beside ? { referenceLatencyMs: { median: median(beside.latencies) } } : {}),
    latencyMs: { median: median(judged.latencies) },
  };
  return found as unknown as Evaluations[T]; // scorerOf made the scorer of this task
}
