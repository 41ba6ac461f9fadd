// What observing costs: pictures with observers against the same pictures through the float model. The
// time of a picture is that between two reports of progress, so setting up does not count, and merging
// the statistics on the host does.

import { calibrate, compile, load, prepare, qconfigs, type Model } from "../../src/index.ts";
import type { ObserverSpec } from "../../src/graph/observer.ts";
import { lower } from "../../src/plan/lower.ts";
import type { Tensors } from "../../src/tensor/tensor.ts";
import { exactAgreement } from "../core/check.ts";
import { interleave, type Contestant } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { CalibrationRow } from "../core/rows.ts";
import { bindBatch, drawInputs, type BenchModel } from "../models/models.ts";

/** Batches of one run; the first is not timed. */
const BATCHES = 6;

interface Run {
  /** Of a picture. */
  readonly ms: number;
  /** Least value of the model's input as the observers saw it; none from plain inference. */
  readonly least: readonly number[];
}

export async function benchCalibration(
  { title, float }: BenchModel,
  batch: number,
  platform: Platform,
  options: BenchOptions,
): Promise<CalibrationRow[]> {
  if (!float) throw new Error("bench: calibration needs a float model; got a quantized one.");
  using device = await platform.openDevice();
  const model = (await load(float)) as Model<"float">;
  const [input = ""] = model.graph.inputs;
  using session = await compile(model, device);
  const perPicture = (marks: readonly number[]) =>
    ((marks.at(-1) ?? NaN) - (marks[0] ?? NaN)) / ((marks.length - 1) * batch);

  const plain = async (pictures: readonly Tensors[]): Promise<Run> => {
    const marks: number[] = [];
    for (const picture of pictures) {
      await session.run(picture);
      marks.push(performance.now());
    }
    return { ms: perPicture(marks), least: [] };
  };
  const prepareWith = (observer: ObserverSpec) => {
    const { activation, weight } = qconfigs.int8;
    return prepare(model, { qconfig: { activation: { ...activation, observer }, weight } });
  };
  const observed = (prepared: Model<"prepared">) => async (pictures: readonly Tensors[]) => {
    const marks: number[] = [];
    const calibrated = await calibrate(prepared, pictures, {
      device,
      biasCorrection: false,
      onProgress: () => marks.push(performance.now()),
    });
    const seen = calibrated.details.calibration.statistics.get(input);
    if (!seen) throw new Error(`bench: nothing was observed of input "${input}"; please report.`);
    const least = seen.kind === "histogram" ? [seen.min] : [...seen.min];
    return { ms: perPicture(marks), least };
  };
  const modes = [
    { name: "min/max", prepared: prepareWith({ kind: "minMax" }) },
    { name: "histogram", prepared: prepareWith({ kind: "histogram" }) },
  ];
  const timeOf = ({ ms }: Run) => ms;
  const contestants: Contestant<Tensors[], Run>[] = [
    { name: "plain float", run: plain, timeOf },
    ...modes.map(({ name, prepared }) => ({
      name,
      run: observed(prepared),
      timeOf,
      check: ({ least }: Run, pictures: readonly Tensors[]) =>
        exactAgreement(least, [leastOf(pictures, input)], "the pictures' own least value"),
    })),
  ];
  const next = random(options.seed);
  const outcomes = await interleave(contestants, {
    rounds: options.rounds,
    draw: () => Array.from({ length: BATCHES }, () => drawInputs(model.graph, batch, next)),
    onWarm: (name, ms) => platform.say(`${title} ${name}: ${ms.toFixed(0)} ms a picture`),
  });
  const bytes = new Map(
    modes.map(({ name, prepared }) => {
      const { states } = lower(bindBatch(prepared.graph, batch));
      return [name, states.reduce((sum, { slice }) => sum + slice.size, 0)];
    }),
  );
  return outcomes.map((outcome) => ({
    suite: "calibration",
    model: title,
    batch,
    mode: outcome.name,
    outcome,
    statisticsBytes: bytes.get(outcome.name) ?? 0,
  }));
}

function leastOf(pictures: readonly Tensors[], input: string): number {
  let least = Infinity;
  for (const picture of pictures)
    for (const value of (picture[input]?.data ?? []) as Float32Array)
      least = Math.min(least, value);
  return least;
}
