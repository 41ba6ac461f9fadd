// Random LSTMs and GRUs: every optional input there or not, both layouts, all directions, sizes around the
// word of four and past the words of one workgroup.

import fc from "fast-check";
import {
  activation,
  recurrentActivations,
  type Direction,
  type RecurrentFunction,
  type RecurrentRole,
} from "../../../src/graph/recurrent.ts";
import { tensor } from "../../../src/tensor/tensor.ts";
import { GraphBuilder } from "../../../src/graph/builder.ts";
import { prune } from "../../../src/graph/graph.ts";
import type { Rewriting } from "../../../src/quantize/dynamic/handler.ts";
import { gru, lstm } from "../../../src/quantize/dynamic/recurrent.ts";
import { settingsOf } from "../../../src/quantize/dynamic/settings.ts";
import {
  family,
  seed,
  single,
  sums,
  type Case,
  type Closeness,
  type Family,
  type Operand,
} from "../cases.ts";
import { floats, generator } from "../seeded.ts";

const functions = Object.keys(recurrentActivations) as RecurrentFunction[];
const maybe = fc.boolean();

const base = fc.record({
  time: fc.constantFrom(1, 2, 3, 6),
  batch: fc.constantFrom(1, 2, 3, 5),
  inputs: fc.constantFrom(1, 3, 4, 7),
  units: fc.oneof(
    { weight: 9, arbitrary: fc.constantFrom(1, 2, 3, 4, 5, 8, 9) },
    { weight: 1, arbitrary: fc.constantFrom(66, 130) },
  ),
  direction: fc.constantFrom<Direction>("forward", "reverse", "bidirectional"),
  layout: fc.constantFrom(0 as const, 1 as const),
  bias: maybe,
  lens: fc.constantFrom("none", "constant", "input"),
  initialH: maybe,
  initialC: maybe,
  peepholes: maybe,
  flag: maybe,
  clip: fc.constantFrom(undefined, 0.4),
  functions: fc.option(fc.array(fc.constantFrom(...functions), { minLength: 6, maxLength: 6 })),
  readSteps: fc.constantFrom("Y", "Squeeze", "none"),
  seed,
});
const parameters = base;
const dynamicParameters = base.chain((fixed) =>
  fc
    .record({
      preset: fc.constantFrom("default" as const, "qnnpack" as const, "fbgemm" as const),
      granularity: fc.constantFrom("perTensor" as const, "perToken" as const),
      weight: fc.constantFrom("perTensor" as const, "perChannel" as const),
    })
    .map((more) => ({ ...fixed, functions: null, ...more })),
);

type DynamicParameters = typeof dynamicParameters extends fc.Arbitrary<infer P> ? P : never;
type Parameters = typeof parameters extends fc.Arbitrary<infer P> ? P : never;

/** The node between its operands; `op` decides which of the parameters it has. W, R and the bias of bits 1, 2 and 3
 *  of `computed` are no constants. */
function recurrentCase(op: "LSTM" | "GRU", from: Parameters, computed = 0): Case {
  const { time, batch, inputs, units, layout, direction } = from;
  const count = direction === "bidirectional" ? 2 : 1;
  const rows = (op === "LSTM" ? 4 : 3) * units;
  const span = 1 / Math.sqrt(units);
  const weight = (shape: number[], at: number): Operand => ({
    tensor: floats(shape, from.seed + at, span * 2),
    constant: ((computed >> at) & 1) === 0,
  });
  const state = layout === 0 ? [count, batch, units] : [batch, count, units];
  const next = generator(from.seed);
  const lens = Int32Array.from({ length: batch }, () => Math.floor(next() * (time + 1)));
  const optional: [RecurrentRole, boolean, Operand][] = [
    ["bias", from.bias, weight([count, 2 * rows], 3)],
    [
      "sequenceLens",
      from.lens !== "none",
      { tensor: tensor("int32", [batch], lens), constant: from.lens === "constant" },
    ],
    ["initialH", from.initialH, { tensor: floats(state, from.seed + 4) }],
    ["initialC", op === "LSTM" && from.initialC, { tensor: floats(state, from.seed + 5) }],
    ["peepholes", op === "LSTM" && from.peepholes, weight([count, 3 * units], 6)],
  ];
  const there = optional.filter(([, isThere]) => isThere);
  const perDirection = op === "LSTM" ? 3 : 2;
  // The cell grows without bound where no gate does not bound it, and the tolerance is of bounded sums.
  const activations = from.functions?.slice(0, perDirection * count).map((name, index) => {
    const isGate = index % perDirection === 0;
    return activation(isGate && !["Sigmoid", "HardSigmoid"].includes(name) ? "Sigmoid" : name);
  });
  const attributes = {
    direction,
    hiddenSize: units,
    layout,
    roles: there.map(([role]) => role),
    ...(activations ? { activations } : {}),
    ...(from.clip === undefined ? {} : { clip: from.clip }),
  };
  const operands: Operand[] = [
    { tensor: floats(layout === 0 ? [time, batch, inputs] : [batch, time, inputs], from.seed) },
    weight([count, rows, inputs], 1),
    weight([count, rows, units], 2),
    ...there.map(([, , operand]) => operand),
  ];
  const made =
    op === "LSTM"
      ? single({ op, ...attributes, inputForget: from.flag }, operands, undefined, 3)
      : single({ op, ...attributes, linearBeforeReset: from.flag }, operands, undefined, 2);
  return read(made, from.readSteps, layout === 0 ? 1 : 2, count === 1);
}

/** Y as an output, behind a Squeeze, or not at all. */
function read(made: Case, how: string, axis: number, canSqueeze: boolean): Case {
  const { graph, feeds } = made;
  if (how === "Y" || (how === "Squeeze" && !canSqueeze)) return made;
  const outputs = graph.outputs.slice(1);
  if (how === "none") return { graph: { ...graph, outputs }, feeds };
  const { shape = [], dtype = "float32" } = graph.values.get("y0") ?? {};
  const squeezed = shape.filter((_, at) => at !== axis);
  return {
    graph: {
      ...graph,
      outputs: ["squeezed", ...outputs],
      values: new Map([...graph.values, ["squeezed", { dtype, shape: squeezed }]]),
      nodes: [
        ...graph.nodes,
        { op: "Squeeze", name: "squeeze", inputs: ["y0"], outputs: ["squeezed"], axes: [axis] },
      ],
    },
    feeds,
  };
}

/** The same node, its W and R quantized and its activations dynamic. */
function dynamicCase(op: "LSTM" | "GRU", from: DynamicParameters): Case {
  const { graph, feeds } = recurrentCase(op, { ...from, flag: op === "GRU" || from.flag });
  const handler = op === "LSTM" ? lstm : gru;
  const { activation, weight } = settingsOf("test", {
    preset: from.preset,
    granularity: from.granularity,
    weight: from.weight,
  });
  const builder = GraphBuilder.from(graph);
  const rewriting = { graph, builder } as unknown as Rewriting;
  for (const node of graph.nodes) {
    if (node.op === op) handler.rewrite(node, { dtype: "int8", activation, weight }, rewriting);
    else builder.add(node);
  }
  return { graph: prune(builder.build(graph.name, graph.inputs, graph.outputs)), feeds };
}

export const recurrent: readonly Family[] = [
  family("LSTM equals the reference", parameters, (from) => recurrentCase("LSTM", from), sums),
  family("GRU equals the reference", parameters, (from) => recurrentCase("GRU", from), sums),
];

const computedFamily = (op: "LSTM" | "GRU") =>
  family(
    `${op} whose W, R or bias a run computes equals the reference`,
    fc.record({ from: parameters, computed: fc.constantFrom(14, 2, 4, 8, 6, 10, 12) }),
    ({ from, computed }) => recurrentCase(op, { ...from, peepholes: false }, computed),
    sums,
  );
export const computedRecurrent: readonly Family[] = [computedFamily("LSTM"), computedFamily("GRU")];

/** Where an f32 sum falls on the other side of a half step than the reference's, a byte of the next step's h
 *  differs by one: by its scale, at most 2/255, times a weight, at most 2. Bytes that wrong parameters made would
 *  differ everywhere; test/gpu/recurrent.test.ts holds several steps to 1e-5 of PyTorch's. */
const stepped: Closeness = { terms: 1, tolerance: 1.6e-2 };

const dynamicFamily = (op: "LSTM" | "GRU", isOneStep: boolean): Family =>
  family(
    `dynamic ${op} ${isOneStep ? "of one step" : "of many steps"} equals the reference`,
    dynamicParameters,
    (from) => dynamicCase(op, isOneStep ? { ...from, time: 1 } : from),
    isOneStep ? sums : stepped,
  );

export const dynamicRecurrent: readonly Family[] = (["LSTM", "GRU"] as const).flatMap((op) => [
  dynamicFamily(op, true),
  dynamicFamily(op, false),
]);
