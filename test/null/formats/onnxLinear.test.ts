// The work that a file takes grows with its nodes and no faster: eight times as many take about eight times the
// steps, where a pass that looks through all nodes for each of them would take sixty-four times. Steps are
// counted by the engine (calls and blocks of src, loops included), so busy machines change nothing; what runs
// inside the engine, such as a search through an array or a copy of one, counts as one.

import { Session } from "node:inspector/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { load } from "../../../src/load.ts";
import { prepare } from "../../../src/prepare.ts";
import { save } from "../../../src/save.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { node, tiny, type Tiny } from "./onnxModels.ts";

/** Nothing of it has an integer form, and prepare says so. */
const UNQUANTIZED = "Reshape to a computed shape";
const FEW = Number(process.env["LINEAR_NODES"] ?? 200);
const TIMES = 8;
/** Linear is 8, quadratic 64; a logarithm, as of a sort, adds a little. */
const MOST = 10;

type Link = (at: number, from: string, to: string) => ReturnType<typeof node>[];

const chain = (count: number, link: Link) =>
  Array.from({ length: count }, (_, at) =>
    link(at, at === 0 ? "x" : `v${at}`, at === count - 1 ? "y" : `v${at + 1}`),
  ).flat();

const scalars = { s: float32([], [0.5]), z: tensor("uint8", [], Uint8Array.of(3)) };
const picture = { x: ["batch", 2, 4, 4] };
const filter = float32([2, 2, 1, 1], [1, 0, 0, 1]);

const kinds: readonly (readonly [string, Omit<Tiny, "nodes">, Link])[] = [
  ["Relu", {}, (_, from, to) => [node("Relu", [from], [to])]],
  [
    "Conv and BatchNormalization of an open batch",
    { inputs: picture, initializers: { w: filter, g: float32([2], [1, 1]) } },
    (at, from, to) => [
      node("Conv", [from, "w"], [`c${at}`]),
      node("BatchNormalization", [`c${at}`, "g", "g", "g", "g"], [to]),
    ],
  ],
  [
    "quantized Conv",
    { inputs: picture, initializers: { ...scalars, w: filter } },
    (at, from, to) => [
      node("QuantizeLinear", [from, "s", "z"], [`q${at}`]),
      node("DequantizeLinear", [`q${at}`, "s", "z"], [`d${at}`]),
      node("Conv", [`d${at}`, "w"], [to]),
    ],
  ],
  [
    "Concat that adds open sizes",
    { inputs: { x: ["n", 2] } },
    (_, from, to) => [node("Concat", [from, "x"], [to], { axis: 0 })],
  ],
  [
    UNQUANTIZED,
    { inputs: { x: ["batch", "sequence"] } },
    (at, from, to) => [node("Shape", [from], [`s${at}`]), node("Reshape", [from, `s${at}`], [to])],
  ],
];

const session = new Session();

beforeAll(async () => {
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
});

afterAll(() => session.disconnect());

/** Calls and blocks of src that `work` runs. */
async function steps(work: () => Promise<unknown>): Promise<number> {
  await session.post("Profiler.takePreciseCoverage"); // which begins anew
  await work();
  const { result } = await session.post("Profiler.takePreciseCoverage");
  return result
    .filter(({ url }) => url.includes("/src/"))
    .flatMap(({ functions }) => functions.flatMap(({ ranges }) => ranges))
    .reduce((sum, { count }) => sum + count, 0);
}

describe("a chain of nodes", () => {
  it.each(kinds)("%s", async (name, parts, link) => {
    const [few, many] = [FEW, FEW * TIMES].map((count) =>
      tiny({ ...parts, nodes: chain(count, link) }),
    ) as [Uint8Array, Uint8Array];
    const work = async (bytes: Uint8Array) => {
      const model = await load(bytes);
      save(model);
      if (model.stage === "float" && name !== UNQUANTIZED) prepare(model);
    };
    await work(few); // what is done once a process
    const [some, all] = [await steps(() => work(few)), await steps(() => work(many))];
    console.log(
      `${name}: ${TIMES} times the nodes took ${(all / some).toFixed(2)} times ${some} steps`,
    );
    expect(some).toBeGreaterThan(FEW);
    expect(all / some).toBeLessThan(MOST);
  });
});
