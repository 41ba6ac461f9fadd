// ONNX's own node tests: import → compile → run on WebGPU, and the reference, against the stored outputs.
// A case that the importer refuses by a typed error is out of scope and listed with the error's words;
// outOfScope.txt pins that list, so a case cannot leave the scope unseen. Everything else must pass.
//
// Where a file takes as an input what must be known at import (weights, scales, shapes), the case is
// loaded again with all inputs but the first given as `constants`, as users would.

import { readdirSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compile } from "../../src/compile.ts";
import { UnsupportedError } from "../../src/errors.ts";
import type { Device } from "../../src/gpu/device.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { load } from "../../src/load.ts";
import type { Model } from "../../src/model.ts";
import { interpret } from "../../src/reference/interpret.ts";
import type { Tensor, Tensors } from "../../src/tensor/tensor.ts";
import { testDevice } from "../support/device.ts";
import { hasSharedData } from "../support/sharedData.ts";
import { folder, readCase, type NodeCase } from "./cases.ts";

/** onnx.backend.test's own tolerances; integers must be equal. */
const RELATIVE = 1e-3;
const ABSOLUTE = 1e-7;

type Outcome =
  | { readonly kind: "passed"; readonly constants: boolean }
  | { readonly kind: "out of scope"; readonly reason: string };

const outcomes = new Map<string, Outcome & { readonly op: string }>();

/** Where `got` is not `want`, in words. */
function difference(got: Tensor | undefined, want: Tensor): string | undefined {
  if (got?.dtype !== want.dtype || String(got.shape) !== String(want.shape))
    return `type ${got?.dtype}[${got?.shape}] for ${want.dtype}[${want.shape}]`;
  for (let index = 0; index < want.data.length; index++) {
    const [g, w] = [Number(got.data[index]), Number(want.data[index])];
    const allowed = want.dtype === "float32" ? ABSOLUTE + RELATIVE * Math.abs(w) : 0;
    if (g === w || (Number.isNaN(g) && Number.isNaN(w)) || Math.abs(g - w) <= allowed) continue;
    return `element ${index} is ${g} for ${w}`;
  }
  return undefined;
}

function compare(where: string, got: Tensors, { outputs }: NodeCase): void {
  for (const [name, want] of Object.entries(outputs)) {
    const wrong = difference(got[name], want);
    if (wrong !== undefined) throw new Error(`${where}, output "${name}": ${wrong}`);
  }
}

function wordsOf({ nodes }: UnsupportedError): string {
  return nodes.map(({ op, node, problem }) => `${op} "${node}": ${problem}`).join("; ");
}

interface Loaded {
  readonly model: Model<"float"> | Model<"quantized">;
  readonly feeds: Tensors;
  readonly constants: boolean;
}

/** The case as it is, else with what must be known at import given; or the typed errors' words. */
async function loadCase({ bytes, inputs }: NodeCase): Promise<Loaded | string> {
  const names = Object.keys(inputs);
  const [first = "", ...rest] = names;
  const attempts = rest.length > 0 ? [[], rest] : [[]];
  let reason = "";
  for (const known of attempts) {
    const pick = (wanted: readonly string[]) =>
      Object.fromEntries(Object.entries(inputs).filter(([name]) => wanted.includes(name)));
    try {
      const model = await load(bytes, { constants: pick(known) });
      const feeds = pick(known.length > 0 ? [first] : names);
      return { model, feeds, constants: known.length > 0 };
    } catch (error) {
      if (!(error instanceof UnsupportedError)) throw error;
      reason = wordsOf(error);
    }
  }
  return reason;
}

async function run(device: Device, test: NodeCase): Promise<Outcome> {
  if (test.unread.length > 0) {
    // No tensor holds such elements: the importer must say so too.
    const error: unknown = await load(test.bytes).catch((caught: unknown) => caught);
    if (!(error instanceof UnsupportedError))
      throw new Error(`${test.unread.join("; ")}, and no UnsupportedError says so: ${error}`);
    return { kind: "out of scope", reason: wordsOf(error) };
  }
  const loaded = await loadCase(test);
  if (typeof loaded === "string") return { kind: "out of scope", reason: loaded };
  const { model, feeds, constants } = loaded;
  const values = interpret(bindShapes(model.graph, new Map()), feeds);
  compare("reference", Object.fromEntries(values), test);
  using session = await compile(model, device);
  compare("WebGPU", await session.run(feeds, { nonFinite: "allow" }), test);
  return { kind: "passed", constants };
}

/** `op  passed  out of scope`, a line per op, and what it comes to. */
function table(): string {
  const all = [...outcomes.values()];
  const ops = [...new Set(all.map(({ op }) => op))].sort();
  const count = (some: typeof all, kind: Outcome["kind"]) =>
    some.filter((outcome) => outcome.kind === kind).length;
  const lines = ops.map((op) => {
    const own = all.filter((outcome) => outcome.op === op);
    const cells = [count(own, "passed"), count(own, "out of scope")].map((n) =>
      String(n).padStart(14),
    );
    return op.padEnd(24) + cells.join("");
  });
  const given = all.filter((outcome) => outcome.kind === "passed" && outcome.constants).length;
  return [
    `${"op".padEnd(24)}${"passed".padStart(14)}${"out of scope".padStart(14)}`,
    ...lines,
    ...[...outcomes].flatMap(([name, outcome]) =>
      outcome.kind === "out of scope" ? [`out of scope: ${name}: ${outcome.reason}`] : [],
    ),
    `${count(all, "passed")} of ${total - count(all, "out of scope")} in scope pass ` +
      `(${given} with inputs given as constants); ${count(all, "out of scope")} of ${total} out of scope`,
  ].join("\n");
}

const there = hasSharedData("onnx-node-tests", "ONNX conformance");
const names = there ? readdirSync(folder).filter((name) => name.startsWith("test_")) : [];
const total = names.length;

describe.skipIf(!there)("ONNX node tests", () => {
  let device: Device;
  beforeAll(async () => {
    device = await testDevice();
  });
  afterAll(() => {
    console.log(table());
    device.dispose();
  });

  it.each(names)("%s", async (name) => {
    const test = readCase(name);
    outcomes.set(name, { op: test.op, ...(await run(device, test)) });
  });

  it("leaves out of scope what is listed in outOfScope.txt, and nothing else", async () => {
    const lines = [...outcomes].flatMap(([name, outcome]) =>
      outcome.kind === "out of scope" ? [`${name}: ${outcome.reason}\n`] : [],
    );
    await expect(lines.join("")).toMatchFileSnapshot("outOfScope.txt");
  });
});
