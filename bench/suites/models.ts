// Whole models: every runtime that takes a model's float or int8 form runs it in turns with the others,
// host input to host output. The referee, where there is one, says what is right; else the reference
// interpreter does, for the first picture of the batch.

import { load, type Model } from "../../src/index.ts";
import { fuse } from "../../src/quantize/fuse.ts";
import { interpret } from "../../src/reference/interpret.ts";
import type { Tensor, Tensors } from "../../src/tensor/tensor.ts";
import { floatAgreement, logitsAgreement, onlyOutput, type Agreement } from "../core/check.ts";
import { interleave, reasonOf, type Contestant, type Outcome } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform, Precision, Runner, Runtime } from "../core/platform.ts";
import { random } from "../core/random.ts";
import { medianOf, type ModelRow } from "../core/rows.ts";
import { spreadOf } from "../core/statistics.ts";
import { bindBatch, drawInputs, workOf, type BenchModel } from "../models/models.ts";
import { isWanted } from "./adapter.ts";
import { replayCost } from "./replayCost.ts";

type Entry = Contestant<Tensors, Tensors>;

interface Entrant {
  readonly name: string;
  readonly contestant: string;
  readonly dtype: Precision;
  readonly file: Uint8Array;
  readonly runtime: Runtime;
}

/** Who is right, and for how many pictures of a batch it says so. */
interface Referee {
  readonly name: string;
  want(input: Tensors): Promise<Tensor>;
  dispose(): Promise<void> | void;
}

function entrantsOf(model: BenchModel, platform: Platform, options: BenchOptions): Entrant[] {
  const forms: [Precision, Uint8Array | undefined][] = [
    ["float32", model.float],
    ["int8", model.int8],
  ];
  return forms.flatMap(([dtype, file]) =>
    file === undefined
      ? []
      : platform.runtimes
          .filter(({ name, takes }) => takes.includes(dtype) && isWanted(options, name))
          .map((runtime) => {
            const name = `${runtime.name} ${dtype}`;
            return { name, contestant: runtime.name, dtype, file, runtime };
          }),
  );
}

const first = (input: Tensors): Tensors =>
  Object.fromEntries(
    Object.entries(input).map(([name, { dtype, shape, data }]) => {
      const size = data.length / (shape[0] ?? 1);
      return [name, { dtype, shape: [1, ...shape.slice(1)], data: data.slice(0, size) } as Tensor];
    }),
  );

async function refereeOf(file: Uint8Array, batch: number, platform: Platform): Promise<Referee> {
  const { referee } = platform;
  if (referee) {
    const runner = await referee.open(file, batch);
    return {
      name: referee.name,
      want: async (input) => onlyOutput(await runner.run(input), referee.name),
      dispose: () => runner.dispose(),
    };
  }
  const model: Model = await load(file);
  const graph = bindBatch(model.stage === "float" ? fuse(model.graph) : model.graph, 1);
  return {
    name: "the reference interpreter, first picture",
    want(input) {
      const values = interpret(graph, first(input));
      const outputs = graph.outputs.map((name) => [name, values.get(name)] as const);
      return Promise.resolve(onlyOutput(Object.fromEntries(outputs) as Tensors, "the reference"));
    },
    dispose: () => undefined,
  };
}

/** The check of one form's outputs: the referee runs once for each input. */
function checker(dtype: Precision, referee: Referee) {
  const known = new WeakMap<Tensors, Promise<Tensor>>();
  return async (output: Tensors, input: Tensors): Promise<Agreement> => {
    let wanted = known.get(input);
    if (!wanted) known.set(input, (wanted = referee.want(input)));
    const want = await wanted;
    const got = onlyOutput(output, "a contestant").data.subarray(0, want.data.length);
    const [a, b] = [got as Float32Array, want.data as Float32Array];
    return dtype === "float32"
      ? floatAgreement(a, b, referee.name)
      : logitsAgreement(a, b, want.shape[0] ?? 1, referee.name);
  };
}

/** One model at one batch size. */
export async function benchModel(
  model: BenchModel,
  batch: number,
  platform: Platform,
  options: BenchOptions,
): Promise<ModelRow[]> {
  const { title } = model;
  const graph = (await load(model.int8)).graph;
  const next = random(options.seed);
  const open: { dispose(): Promise<void> | void }[] = [];
  const runners = new Map<string, Runner>();
  const failed = new Map<string, Outcome>();
  const entries: Entry[] = [];
  const entrants = entrantsOf(model, platform, options);
  try {
    const checks = new Map<Precision, NonNullable<Entry["check"]>>();
    for (const { name, dtype, file, runtime } of entrants) {
      platform.say(`${title} batch ${batch}: opening ${name}`);
      try {
        let check = checks.get(dtype);
        if (!check) {
          const referee = await refereeOf(file, batch, platform);
          open.push(referee);
          checks.set(dtype, (check = checker(dtype, referee)));
        }
        const runner = await runtime.open(file, batch);
        open.push(runner);
        runners.set(name, runner);
        entries.push({ name, run: (inputs) => runner.run(inputs), check });
      } catch (error) {
        failed.set(name, { name, status: "error", reason: reasonOf(error) });
      }
    }
    const outcomes = await interleave(entries, {
      rounds: options.rounds,
      draw: () => drawInputs(graph, batch, next),
      onWarm: (name, ms, check) =>
        platform.say(`${title} batch ${batch}: ${name} ${ms.toFixed(0)} ms, ${check?.detail}`),
    });
    const all = new Map([
      ...outcomes.map((outcome) => [outcome.name, outcome] as const),
      ...failed,
    ]);
    const rows: ModelRow[] = [];
    for (const { name, contestant, dtype, file } of entrants) {
      const outcome = all.get(name);
      if (!outcome) throw new Error(`bench: no outcome of ${name}; please report.`);
      const { macs, weights } = await workOf(file);
      const runner = runners.get(name);
      const gpu = runner?.gpuBytes?.();
      const times = runner?.threadMs?.();
      const replays =
        times && times.replays.length > 0
          ? { replay: spreadOf(times.replays), upload: spreadOf(times.uploads) }
          : {};
      const ms = medianOf(outcome);
      const replayCpu =
        runner && ms !== undefined
          ? await replayCost(runner, platform, ms).catch((error: unknown) => {
              platform.say(`${title} batch ${batch}: ${name}: no replay time: ${reasonOf(error)}`);
              return undefined;
            })
          : undefined;
      rows.push({
        ...{ suite: "models", model: title, batch, dtype, contestant, macs, outcome },
        ...replays,
        ...(replayCpu ? { replayCpu } : {}),
        ...(gpu === undefined ? {} : { memory: { gpu, weights } }),
      });
    }
    return rows;
  } finally {
    for (const each of open) await each.dispose();
  }
}
