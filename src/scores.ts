// What a task makes of a model's outputs and the labels: one class a task, fed row by row. A row is what one
// label belongs to: a sample's logits, a position's of a language model, one probability.

import { InputError } from "./errors.ts";
import { areaUnderRoc, argmax, crossEntropy, ErrorSum, inTop } from "./metrics.ts";

/** One row: its outputs, the reference's, its label, and its place in the data. */
export interface Row {
  readonly values: Float32Array;
  readonly reference: Float32Array | undefined;
  /** The class, offset included; undefined where it is to be ignored. */
  readonly label: number | undefined;
  readonly index: number;
}

/** What every task says of a model beside a reference. */
export interface Comparison {
  /** Percent of labelled rows with the reference's answer, or of all where none has a label; only with a
   *  reference. */
  readonly agreement?: number;
  /** Of all outputs against the reference's, rows without a label included; only with a reference. */
  readonly sqnrDb?: number;
}

export interface ClassificationScores extends Comparison {
  /** Percent; NaN where no row has a label. */
  readonly top1: number;
  readonly top5: number;
  readonly referenceTop1?: number;
  /** Another offset of the labels under which far more answers are right: the labels are most likely counted
   *  from another class than the model's, as where its class 0 is background. Absent where there is none. */
  readonly offsetHint?: { readonly labelOffset: number; readonly top1: number };
}

export interface LanguageModelScores extends Comparison {
  /** exp of the cross-entropy. */
  readonly perplexity: number;
  /** Mean −ln p of the right token, nats. */
  readonly crossEntropy: number;
  /** Percent. */
  readonly top1: number;
  readonly referencePerplexity?: number;
  readonly referenceCrossEntropy?: number;
  readonly referenceTop1?: number;
}

export interface BinaryScores extends Comparison {
  /** Percent of rows on the label's side of 0.5. */
  readonly accuracy: number;
  /** Area under the ROC curve, 0 … 1; NaN where all labels are on one side. */
  readonly auc: number;
  /** Greatest |probability − label|; only where labels are probabilities themselves. */
  readonly largestError?: number;
  /** Greatest |probability − the reference's|; only with a reference. */
  readonly largestDifference?: number;
  readonly referenceAccuracy?: number;
  readonly referenceAuc?: number;
}

export interface Scorer<Scores> {
  /** Labelled rows so far. */
  readonly count: number;
  add(row: Row): void;
  scores(): Scores;
}

/** Agreement and SQNR, where there is a reference. */
class Beside {
  readonly #error = new ErrorSum();
  readonly #labelled = { rows: 0, agreed: 0 };
  readonly #all = { rows: 0, agreed: 0 };

  add(row: Row, agrees: boolean): void {
    if (row.reference) this.#error.add(row.reference, row.values);
    for (const part of row.label === undefined ? [this.#all] : [this.#all, this.#labelled]) {
      part.rows++;
      if (agrees) part.agreed++;
    }
  }

  of(): Required<Comparison> {
    const { agreed, rows } = this.#labelled.rows > 0 ? this.#labelled : this.#all;
    return { agreement: percent(agreed, rows), sqnrDb: this.#error.sqnrDb };
  }
}

const percent = (hits: number, count: number) => (100 * hits) / count;

/** Calls with every row's class and the reference's. */
export type OnClass = (index: number, own: number, score: number, reference?: number) => void;

export class Classification implements Scorer<ClassificationScores> {
  count = 0;
  readonly #onClass: OnClass | undefined;
  readonly #beside = new Beside();
  #hasReference = false;
  #top1 = 0;
  #top5 = 0;
  #referenceTop1 = 0;
  /** Right answers by what would be added to each label. */
  readonly #shifted = new Map<number, number>([
    [-1, 0],
    [1, 0],
  ]);
  readonly #labelOffset: number;

  constructor(onClass?: OnClass, labelOffset = 0) {
    this.#onClass = onClass;
    this.#labelOffset = labelOffset;
  }

  add(row: Row): void {
    const { values, reference, label, index } = row;
    const own = argmax(values);
    const other = reference && argmax(reference);
    this.#onClass?.(index, own, values[own] ?? NaN, other);
    this.#beside.add(row, own === other);
    if (reference) this.#hasReference = true;
    if (label === undefined) return;
    this.count++;
    if (inTop(values, label, 1)) this.#top1++;
    if (inTop(values, label, 5)) this.#top5++;
    if (reference && inTop(reference, label, 1)) this.#referenceTop1++;
    const shift = own - label;
    const hits = this.#shifted.get(shift);
    if (hits !== undefined) this.#shifted.set(shift, hits + 1);
  }

  scores(): ClassificationScores {
    const { count } = this;
    return {
      top1: percent(this.#top1, count),
      top5: percent(this.#top5, count),
      ...this.#offsetHint(),
      ...(this.#hasReference
        ? { ...this.#beside.of(), referenceTop1: percent(this.#referenceTop1, count) }
        : {}),
    };
  }

  /** A few right answers by chance are no hint. */
  #offsetHint(): Pick<ClassificationScores, "offsetHint"> {
    const [[shift, hits] = [0, 0]] = [...this.#shifted].sort((a, b) => b[1] - a[1]);
    if (hits < 3 || hits < 4 * this.#top1 || hits < this.count / 5) return {};
    const labelOffset = this.#labelOffset + shift;
    return { offsetHint: { labelOffset, top1: percent(hits, this.count) } };
  }
}

/** Sums over the labelled positions of one model. */
class Likelihood {
  #nats = 0;
  #hits = 0;

  add(values: Float32Array, label: number): void {
    this.#nats += crossEntropy(values, label);
    if (inTop(values, label, 1)) this.#hits++;
  }

  of(count: number) {
    const mean = this.#nats / count;
    return { perplexity: Math.exp(mean), crossEntropy: mean, top1: percent(this.#hits, count) };
  }
}

export class LanguageModel implements Scorer<LanguageModelScores> {
  count = 0;
  readonly #beside = new Beside();
  readonly #own = new Likelihood();
  readonly #reference = new Likelihood();
  #hasReference = false;

  add(row: Row): void {
    const { values, reference, label, index } = row;
    this.#beside.add(row, !!reference && argmax(values) === argmax(reference));
    if (reference) this.#hasReference = true;
    if (label === undefined) return;
    if (!(label >= 0 && label < values.length)) {
      throw new InputError(
        `evaluate: the label of position ${index} must be a token from 0 to ${values.length - 1}; ` +
          `got ${label}. Check the labels; those of −100 are ignored.`,
      );
    }
    this.count++;
    this.#own.add(values, label);
    if (reference) this.#reference.add(reference, label);
  }

  scores(): LanguageModelScores {
    const own = this.#own.of(this.count);
    if (!this.#hasReference) return own;
    const { perplexity, crossEntropy: nats, top1 } = this.#reference.of(this.count);
    return {
      ...own,
      ...this.#beside.of(),
      referencePerplexity: perplexity,
      referenceCrossEntropy: nats,
      referenceTop1: top1,
    };
  }
}

/** One model's probabilities beside the labels. */
class Probabilities {
  readonly #values: number[] = [];
  #hits = 0;

  add(value: number, label: number): void {
    this.#values.push(value);
    if (value > 0.5 === label > 0.5) this.#hits++;
  }

  of(labels: readonly number[]) {
    const positive = labels.map((label) => label > 0.5);
    return {
      accuracy: percent(this.#hits, labels.length),
      auc: areaUnderRoc(this.#values, positive),
    };
  }
}

export class Binary implements Scorer<BinaryScores> {
  count = 0;
  /** The outputs are logits: a probability is their sigmoid. */
  readonly #logits: boolean;
  readonly #beside = new Beside();
  readonly #labels: number[] = [];
  readonly #own = new Probabilities();
  readonly #reference = new Probabilities();
  #hasReference = false;
  #soft = false;
  #error = 0;
  #difference = 0;

  constructor(logits = false) {
    this.#logits = logits;
  }

  add(row: Row): void {
    const { reference, label, index } = row;
    const own = this.#probability(row.values, index);
    const other = reference && this.#probability(reference, index);
    this.#beside.add(row, other !== undefined && own > 0.5 === other > 0.5);
    if (other !== undefined) {
      this.#hasReference = true;
      this.#difference = Math.max(this.#difference, Math.abs(own - other));
    }
    if (label === undefined) return;
    if (!(label >= 0 && label <= 1)) {
      throw new InputError(
        `evaluate: label ${index} must be 0, 1 or a probability between; got ${label}. ` +
          `Check the labels; those of −100 are ignored.`,
      );
    }
    this.count++;
    this.#labels.push(label);
    if (label % 1 !== 0) this.#soft = true;
    this.#error = Math.max(this.#error, Math.abs(own - label));
    this.#own.add(own, label);
    if (other !== undefined) this.#reference.add(other, label);
  }

  #probability(values: Float32Array, index: number): number {
    const [value = NaN] = values;
    if (values.length !== 1) {
      throw new InputError(
        `evaluate: a binary model gives one number a label; got ${values.length}. ` +
          `Evaluate it as a classification.`,
      );
    }
    if (this.#logits) return 1 / (1 + Math.exp(-value));
    if (value >= 0 && value <= 1) return value;
    throw new InputError(
      `evaluate: output ${index} must be a probability from 0 to 1; got ${value}. ` +
        `Where the model gives logits, say so: logits.`,
    );
  }

  scores(): BinaryScores {
    const { accuracy, auc } = this.#reference.of(this.#labels);
    return {
      ...this.#own.of(this.#labels),
      ...(this.#soft ? { largestError: this.#error } : {}),
      ...(this.#hasReference
        ? {
            ...this.#beside.of(),
            largestDifference: this.#difference,
            referenceAccuracy: accuracy,
            referenceAuc: auc,
          }
        : {}),
    };
  }
}
