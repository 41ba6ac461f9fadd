// The last word on a quantized model: below a stated error its user must be told, and which layers lose it.

import type { LayerError } from "./compare.ts";
import { producersOf, type Graph } from "./graph/graph.ts";
import type { Model } from "./model.ts";

/** Least SQNR of an output, dB, and least share of equal top-1 answers, percent: docs/quantization.md, section 24. */
export const LEAST_SQNR_DB = 10;
export const LEAST_AGREEMENT = 90;

/** Layers that a warning names. */
const NAMED = 3;

/** A quantized model that is far from its float one. Plain data. */
export interface QuantizationWarning {
  /** Of the worst output, dB; null where it is not finite. */
  readonly sqnrDb: number | null;
  /** Percent of equal top-1 answers, where that was measured. */
  readonly agreement?: number;
  /** The layers that lose most, and how much each loses beside what it reads, dB. */
  readonly layers: readonly {
    readonly node: string;
    readonly op: string;
    readonly lostDb: number;
  }[];
  /** All of it in a sentence. */
  readonly message: string;
}

/** What is worth less than this is lost anyhow, dB. */
const GOOD = 40;

/** How much each layer loses: the least SQNR of what it reads less its own. */
function losses(graph: Graph, layers: readonly LayerError[]) {
  const known = new Map(layers.map(({ value, sqnrDb }) => [value, sqnrDb]));
  const producers = producersOf(graph);
  const found = new Map<string, number>();
  /** Of a value, or of what it is made of where nothing is known of it. */
  const ratioOf = (value: string): number => {
    const own = known.get(value) ?? found.get(value);
    if (own !== undefined) return Math.min(GOOD, own);
    const inputs = producers.get(value)?.inputs ?? [];
    found.set(value, GOOD);
    const least = inputs.reduce((most, input) => Math.min(most, ratioOf(input)), GOOD);
    found.set(value, least);
    return least;
  };
  return layers
    .map(({ node, op, value, sqnrDb }) => {
      const inputs = producers.get(value)?.inputs ?? [];
      const read = inputs.reduce((most, input) => Math.min(most, ratioOf(input)), GOOD);
      return { node, op, lostDb: read - Math.min(GOOD, Number.isNaN(sqnrDb) ? 0 : sqnrDb) };
    })
    .filter(({ lostDb }) => lostDb > 0)
    .sort((a, b) => b.lostDb - a.lostDb);
}

/**
 * Judge a quantized model by what `compare` and `evaluate` found.
 * @param float the model that it was made of
 * @param layers what `compare` gave
 * @param agreement percent of equal top-1 answers, where known
 * @returns a warning where an output has less than 10 dB or fewer than 90 % agree, else undefined
 */
export function verdict(
  float: Model<"float">,
  layers: readonly LayerError[],
  agreement?: number,
): QuantizationWarning | undefined {
  const outputs = new Set(float.graph.outputs);
  const ratios = layers.flatMap(({ value, sqnrDb }) => (outputs.has(value) ? [sqnrDb] : []));
  const worst = ratios.reduce(
    (least, ratio) => (Number.isNaN(ratio) ? -Infinity : Math.min(least, ratio)),
    Infinity,
  );
  const isPoor = worst < LEAST_SQNR_DB;
  const differs = agreement !== undefined && agreement < LEAST_AGREEMENT;
  if (!isPoor && !differs) return undefined;
  const named = losses(float.graph, layers).slice(0, NAMED);
  const figures = [
    ...(isPoor ? [`its output has ${worst.toFixed(1)} dB (least: ${LEAST_SQNR_DB})`] : []),
    ...(differs
      ? [
          `${agreement.toFixed(1)} % of its answers are the float model's (least: ${LEAST_AGREEMENT})`,
        ]
      : []),
  ];
  const where = named.map(({ node, op, lostDb }) => `${op} "${node}" (−${lostDb.toFixed(1)} dB)`);
  return {
    sqnrDb: Number.isFinite(worst) ? worst : null,
    ...(agreement === undefined ? {} : { agreement }),
    layers: named,
    message:
      `This quantized model is far from its float one: ${figures.join(", ")}. ` +
      `${where.length > 0 ? `Most is lost in ${where.join(", ")}. ` : ""}` +
      "Leave such layers float (overrides, --exclude), calibrate on more data, or train with quantization (prepareQat, train --qat).",
  };
}
