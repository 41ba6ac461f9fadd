// What was typed → plain data that also crosses into a browser page.

import { parseArgs } from "node:util";

export const SUITES = [
  "models",
  "kernels",
  "calibration",
  "startup",
  "steps",
  "transformer",
  "training",
] as const;
export type Suite = (typeof SUITES)[number];

export const FAMILIES = ["register", "workgroup", "gemv", "matrix"] as const;
export type Family = (typeof FAMILIES)[number];

export interface BenchOptions {
  readonly suites: readonly Suite[];
  /** Path of a model to use instead of the standard ones. */
  readonly model?: string;
  /** Batch sizes; undefined: 1, and 8 unless the adapter is a software one. */
  readonly batch?: readonly number[];
  readonly rounds: number;
  /** Names of the contestants to time, such as "ours" or "ort-webgpu"; undefined: all. */
  readonly only?: readonly string[];
  /** Only kernels whose line, such as "matmul int8 256×256×256", contains this. */
  readonly kernel?: string;
  /** Only products, once by each of these kernel families; undefined: the families that rules choose. */
  readonly family?: readonly Family[];
  /** In this Node process instead of headless Chromium. */
  readonly node: boolean;
  /** Where to write the result. */
  readonly json?: string;
  readonly quick: boolean;
  /** Everything, on a software adapter too. */
  readonly full: boolean;
  readonly seed: number;
  /** "steps" of training, not of a model. */
  readonly training: boolean;
  /** Slowest steps that `steps` lists. */
  readonly top: number;
  /** Of the suite "transformer". */
  readonly layers: number;
}

export const HELP = `Usage: npm run bench -- [SUITE…] [options]

Suites (default: models kernels calibration startup):
  models        whole models, ours and every peer, interleaved; outputs are checked first
  kernels       one op at a time, with its share of the adapter's own ceilings
  calibration   pictures a second with observers, against plain float inference
  startup       load → first result, cold and warm; pipelines
  steps         the steps of one model's plan, each timed alone (runs in Node)
  transformer   the encoder of BERT-base, float and dynamically quantized, against every peer
  training      steps of a small convolutional network: ours in float and quantization-aware against its own
                forward pass, TensorFlow.js and jax-js
  all           all of them

Options:
  --model FILE     an ONNX file instead of the standard models
  --batch 1,8      batch sizes (default 1,8; on a software adapter 1)
  --rounds N       timed rounds (default 5; 3 for what takes more than 5 s)
  --only A,B       time only these: ours, ort-webgpu, ort-wasm, jax-js, TensorFlow.js; in Node ours, ort-node-webgpu, ort-node-cpu
  --kernel TEXT    only kernels whose line contains TEXT: conv, int8, 1024×1024×1024
  --family A,B     time each product by these kernel families (register, workgroup, gemv, matrix)
                   instead of the one that the adapter's rules choose
  --node           run in this Node process, without a browser
  --json FILE      also write everything as JSON
  --quick          fewer models and sizes, 2 rounds
  --full           every model, batch and size on a software adapter too
  --seed N         repeat the inputs of another run
  --top N          steps that the suite "steps" lists (default 5)
  --training       "steps" of the suite "training" instead of a model's
  --layers N       layers of the suite "transformer" (default 12)
  --help           print this
`;

/** What was typed cannot be understood. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

const ALL = "all";

/** Only where they are named: one is for one model, one builds one of 340 MB, one is no inference. */
const ON_REQUEST = new Set<Suite>(["steps", "transformer", "training"]);

function positive(name: string, text: string): number {
  if (/^\d+$/.test(text) && Number(text) > 0) return Number(text);
  throw new UsageError(
    `bench: --${name} must be a positive whole number; got ${JSON.stringify(text)}. Try --help.`,
  );
}

/** "help" where it was asked for. Throws UsageError. */
export function parseOptions(words: readonly string[]): BenchOptions | "help" {
  const { values, positionals } = parse(words);
  if (values.help) return "help";
  const unknown = positionals.find((word) => word !== ALL && !isSuite(word));
  if (unknown !== undefined)
    throw new UsageError(
      `bench: a suite must be one of ${SUITES.join(", ")}, all; got ${JSON.stringify(unknown)}. Try --help.`,
    );
  const named = positionals.includes(ALL) ? SUITES : positionals.filter(isSuite);
  const suites = named.length > 0 ? named : SUITES.filter((suite) => !ON_REQUEST.has(suite));
  const list = (text: string) => text.split(",").filter(Boolean);
  return {
    suites,
    ...(values.model ? { model: values.model } : {}),
    ...(values.batch ? { batch: list(values.batch).map((text) => positive("batch", text)) } : {}),
    rounds: values.rounds ? positive("rounds", values.rounds) : values.quick ? 2 : 5,
    ...(values.only ? { only: list(values.only) } : {}),
    ...(values.kernel ? { kernel: values.kernel } : {}),
    ...(values.family ? { family: list(values.family).map(familyOf) } : {}),
    node: values.node ?? false,
    ...(values.json ? { json: values.json } : {}),
    quick: values.quick ?? false,
    full: values.full ?? false,
    seed: values.seed ? positive("seed", values.seed) : (Date.now() & 0x7fffffff) + 1,
    training: values.training ?? false,
    top: values.top ? positive("top", values.top) : 5,
    layers: values.layers ? positive("layers", values.layers) : 12,
  };
}

function familyOf(word: string): Family {
  const family = FAMILIES.find((name) => name === word);
  if (family) return family;
  throw new UsageError(
    `bench: --family must name some of ${FAMILIES.join(", ")}; got ${JSON.stringify(word)}. Try --help.`,
  );
}

function isSuite(word: string): word is Suite {
  return (SUITES as readonly string[]).includes(word);
}

function parse(words: readonly string[]) {
  try {
    return parseArgs({
      args: [...words],
      allowPositionals: true,
      options: {
        model: { type: "string" },
        batch: { type: "string" },
        rounds: { type: "string" },
        only: { type: "string" },
        kernel: { type: "string" },
        family: { type: "string" },
        json: { type: "string" },
        seed: { type: "string" },
        top: { type: "string" },
        layers: { type: "string" },
        node: { type: "boolean" },
        quick: { type: "boolean" },
        full: { type: "boolean" },
        training: { type: "boolean" },
        help: { type: "boolean" },
      },
    });
  } catch (error) {
    throw new UsageError(
      `bench: ${error instanceof Error ? error.message : String(error)}. Try --help.`,
    );
  }
}
