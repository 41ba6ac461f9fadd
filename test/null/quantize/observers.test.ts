// Observers against PyTorch's own: test/fixtures/observers.json, written by make_observers.py.
// Equal means equal bits: (8) to (11), (15), (16), (17).

import { describe, expect, it } from "vitest";
import type { ObserverSpec } from "../../../src/graph/observer.ts";
import {
  addBatch,
  emptyStatistics,
  rangeOfStatistics,
  type Statistics,
} from "../../../src/quantize/observers.ts";
import { observeTensor } from "../../../src/quantize/observeTensor.ts";
import { qconfigs } from "../../../src/quantize/presets.ts";
import { qRangeOf, type TensorSpec, validateQConfig } from "../../../src/quantize/qconfig.ts";
import { chooseQParams } from "../../../src/quantize/qparams.ts";
import { sumF32 } from "../../../src/quantize/sum.ts";
import { float32 } from "../../../src/tensor/tensor.ts";
import fixture from "../../fixtures/observers.json";
import { batchOf, hashOf, hexesOf, hexOf, pairsOf, Random } from "./seeded.ts";

const { length, shape } = fixture;

/** Statistics after each batch. */
function observe(spec: ObserverSpec, name: string, seed: number, batches: number): Statistics[] {
  const random = new Random(seed);
  const after: Statistics[] = [];
  let statistics = emptyStatistics(spec);
  for (let batch = 0; batch < batches; batch++) {
    const x = float32(shape, batchOf(name, random, batch, length));
    statistics = addBatch(statistics, observeTensor(spec, x, statistics));
    after.push(statistics);
  }
  return after;
}

function specOf(name: string, observer: ObserverSpec): TensorSpec {
  const fields = fixture.specs[name as keyof typeof fixture.specs] as Pick<
    TensorSpec,
    "dtype" | "scheme"
  >;
  const granularity = "axis" in observer ? { perAxis: observer.axis } : "perTensor";
  return { ...fields, granularity, observer };
}

/** {spec: "scale:zeroPoint …"} for the specs the fixture lists. */
function choose(
  statistics: Statistics,
  observer: ObserverSpec,
  names: readonly string[],
): Record<string, string> {
  const range = rangeOfStatistics(statistics);
  return Object.fromEntries(
    names.map((name) => [name, pairsOf(chooseQParams(range, specOf(name, observer)))]),
  );
}

const rangedObservers = {
  minMax: { kind: "minMax" },
  movingAverageMinMax: { kind: "movingAverageMinMax" },
  perChannelMinMax: { kind: "perChannelMinMax", axis: 1 },
  movingAveragePerChannelMinMax: {
    kind: "movingAveragePerChannelMinMax",
    axis: 0,
    averagingConstant: 0.3,
  },
} as const satisfies Record<string, ObserverSpec>;

describe.each(fixture.distributions)("$distribution, seed $seed", (expected) => {
  const { distribution, seed } = expected;

  it("a histogram over five batches has PyTorch's counts, ranges and qparams (15), (16), (17)", () => {
    const observer: ObserverSpec = { kind: "histogram" };
    const actual = observe(observer, distribution, seed, expected.histogram.length).map((each) => {
      if (each.kind !== "histogram") throw new Error(each.kind);
      const range = rangeOfStatistics(each);
      return {
        counts: hashOf(each.counts),
        seen: `${hexOf(each.min)} ${hexOf(each.max)}`,
        range: `${hexOf(range.min[0]!)} ${hexOf(range.max[0]!)}`,
        qparams: choose(each, observer, Object.keys(fixture.specs)),
      };
    });
    expect(actual).toEqual(expected.histogram);
  });

  it.each(Object.entries(rangedObservers))(
    "%s over five batches has PyTorch's ranges and qparams (9), (10), (11)",
    (kind, observer) => {
      const want = expected.ranged[kind as keyof typeof expected.ranged];
      const statistics = observe(observer, distribution, seed, 5).at(-1)!;
      const { min, max } = rangeOfStatistics(statistics);
      expect({
        min: hexesOf(min),
        max: hexesOf(max),
        qparams: choose(statistics, observer, Object.keys(want.qparams)),
      }).toEqual(want);
    },
  );
});

it.each(fixture.sums)(
  "sumF32 of $length values has PyTorch's bits, seed $seed",
  ({ length, seed, sum }) => {
    const random = new Random(seed);
    expect(hexOf(sumF32(Float32Array.from({ length }, () => random.bell())))).toBe(sum);
  },
);

describe.each(fixture.presets)("qconfigs.$name, seed $seed", ({ name, seed, fields, qparams }) => {
  const qconfig = qconfigs[name as keyof typeof qconfigs];

  it("has the fields of get_default_qconfig", () => {
    validateQConfig(qconfig);
    const describeSpec = (spec: TensorSpec): unknown => {
      const [qmin, qmax] = qRangeOf(spec);
      const isPerTensor = spec.granularity === "perTensor";
      return {
        observer: {
          histogram: "HistogramObserver",
          minMax: "MinMaxObserver",
          perChannelMinMax: "PerChannelMinMaxObserver",
        }[spec.observer.kind as string],
        dtype: `torch.q${spec.dtype}`,
        qscheme: `torch.per_${isPerTensor ? "tensor" : "channel"}_${spec.scheme}`,
        qmin,
        qmax,
        eps: spec.eps ?? 2 ** -23,
        axis: isPerTensor ? null : (spec.granularity as { perAxis: number }).perAxis,
        bins: spec.observer.kind === "histogram" ? (spec.observer.bins ?? 2048) : null,
      };
    };
    expect({
      activation: describeSpec(qconfig.activation),
      weight: describeSpec(qconfig.weight),
    }).toEqual(fields);
  });

  it("chooses the qparams of get_default_qconfig", () => {
    const random = new Random(seed);
    const run = (spec: TensorSpec, distribution: string, batches: number): string => {
      let statistics = emptyStatistics(spec.observer);
      for (let batch = 0; batch < batches; batch++) {
        const x = float32(shape, batchOf(distribution, random, batch, length));
        statistics = addBatch(statistics, observeTensor(spec.observer, x, statistics));
      }
      return pairsOf(chooseQParams(rangeOfStatistics(statistics), spec));
    };
    expect({
      activation: run(qconfig.activation, "outliers", 2),
      weight: run(qconfig.weight, "bell", 1),
    }).toEqual(qparams);
  });
});
