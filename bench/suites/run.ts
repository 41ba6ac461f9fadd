// The suites in order, on one platform. Start-up is not among them: in a browser it needs a fresh one for
// every start, which only the driver can give.

import { reasonOf } from "../core/interleave.ts";
import type { BenchOptions, Suite } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { Bench, CalibrationRow, ModelRow, Note } from "../core/rows.ts";
import {
  bothForms,
  standardFile,
  STANDARD,
  TITLES,
  type BenchModel,
  type StandardName,
} from "../models/models.ts";
import { batchesOf, scaleOf } from "./adapter.ts";
import { benchCalibration } from "./calibration.ts";
import { benchKernels } from "./kernels.ts";
import { benchModel } from "./models.ts";
import { benchTraining } from "./training.ts";
import { benchTransformer } from "./transformer.ts";

/** Files that take the place of standard models. */
export interface Files {
  /** From --model: the only model then. */
  readonly given?: { readonly title: string; readonly bytes: Uint8Array };
  /** A trained MobileNetV2, where one is at hand. */
  readonly mobilenetV2?: Uint8Array;
}

const QUICK: readonly StandardName[] = ["mobilenetV2", "resnet18"];

/** The model of one name in both forms; made on a device that goes away again. */
export async function makeModel(
  name: StandardName | "given",
  files: Files,
  platform: Platform,
  seed: number,
): Promise<BenchModel> {
  const { given } = files;
  if (name === "given" && !given) throw new Error("bench: no file was given; please report.");
  const title = name === "given" ? (given?.title ?? "") : TITLES[name];
  platform.say(`${title}: building`);
  const trained = name === "mobilenetV2" ? files.mobilenetV2 : undefined;
  const bytes = name === "given" ? given?.bytes : (trained ?? standardFile(name));
  using device = await platform.openDevice();
  return await bothForms(title, bytes ?? new Uint8Array(), device, random(seed));
}

/** The models of a run. */
function namesFor(files: Files, { quick }: BenchOptions): readonly (StandardName | "given")[] {
  if (files.given) return ["given"];
  return quick ? QUICK : (Object.keys(STANDARD) as StandardName[]);
}

/** What calibration, start-up and steps are measured on. */
export async function firstModel(
  files: Files,
  platform: Platform,
  options: BenchOptions,
): Promise<BenchModel> {
  return await makeModel(files.given ? "given" : "mobilenetV2", files, platform, options.seed);
}

/** Nobody is left out without a word: a name that is none would time nothing. */
function checkNames(platform: Platform, { only = [] }: BenchOptions): void {
  const { runtimes, missing, trainers, missingTrainers } = platform;
  const all = [...runtimes, ...missing, ...trainers, ...missingTrainers];
  const known = [...new Set(all.map(({ name }) => name))];
  const unknown = only.find((name) => !known.includes(name));
  if (unknown === undefined) return;
  throw new Error(
    `bench: --only must name contestants; got ${JSON.stringify(unknown)}. Here are ${known.join(", ")}.`,
  );
}

/** models, transformer, kernels, calibration and training, as far as they are asked for. What fails becomes a note, and the
 *  rest goes on. */
export async function runSuites(
  platform: Platform,
  options: BenchOptions,
  files: Files,
): Promise<Bench> {
  checkNames(platform, options);
  const scale = await scaleOf(platform, options);
  const has = (suite: Suite) => options.suites.includes(suite);
  const notes: Note[] = [];
  if (has("models")) {
    for (const { name, reason } of platform.missing)
      notes.push({ suite: "models", note: `${name}: ${reason}` });
  }
  const attempt = async <T>(suite: Suite, what: string, work: () => Promise<T>) => {
    try {
      return await work();
    } catch (error) {
      notes.push({ suite, note: `${what} failed: ${reasonOf(error)}`, failed: true });
      return undefined;
    }
  };
  const batches = batchesOf(options, scale);

  const models: ModelRow[] = [];
  // One at a time: they are large.
  for (const name of has("models") ? namesFor(files, options) : []) {
    await attempt("models", name, async () => {
      const model = await makeModel(name, files, platform, options.seed);
      for (const batch of batches)
        models.push(...(await benchModel(model, batch, platform, options)));
    });
  }
  if (has("transformer")) {
    const rows = await attempt("transformer", "it", () => benchTransformer(platform, options));
    models.push(...(rows ?? []));
  }

  const measured = has("kernels")
    ? await attempt("kernels", "setting up", () => benchKernels(platform, options, scale))
    : undefined;
  if (measured) notes.push(...measured.notes.map((note) => ({ suite: "kernels", note })));
  if (measured?.rows.length === 0)
    notes.push({ suite: "kernels", note: `none has "${options.kernel}" in its line` });

  const calibration: CalibrationRow[] = [];
  if (has("calibration")) {
    await attempt("calibration", "it", async () => {
      const model = await firstModel(files, platform, options);
      for (const batch of batches)
        calibration.push(...(await benchCalibration(model, batch, platform, options)));
    });
  }
  if (has("training")) {
    for (const { name, reason } of platform.missingTrainers)
      notes.push({ suite: "training", note: `${name}: ${reason}` });
  }
  const training = has("training")
    ? await attempt("training", "it", () => benchTraining(platform, options))
    : undefined;
  return {
    adapter: scale.facts,
    runtime: platform.name,
    models,
    kernels: measured?.rows ?? [],
    calibration,
    startup: [],
    training: training ?? [],
    ...(measured ? { ceilings: measured.ceilings } : {}),
    notes,
  };
}
