// The suites in order, on one platform. Start-up is not among them: in a browser it needs a fresh one for
// every start, which only the driver can give.

import { reasonOf } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import { random } from "../core/random.ts";
import type { Bench, CalibrationRow, Note } from "../core/rows.ts";
import { MISSING } from "../kernels/cases.ts";
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
import { benchModels } from "./models.ts";

/** Files that take the place of standard models. */
export interface Files {
  /** From --model: the only model then. */
  readonly given?: { readonly title: string; readonly bytes: Uint8Array };
  /** A trained MobileNetV2, where one is at hand. */
  readonly mobilenetV2?: Uint8Array;
}

const QUICK: readonly StandardName[] = ["mobilenetV2", "resnet18"];

function namesOf({ quick }: BenchOptions): readonly StandardName[] {
  return quick ? QUICK : (Object.keys(STANDARD) as StandardName[]);
}

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

/** The models of a run, one after the other: they are large. */
export async function* modelsOf(
  files: Files,
  platform: Platform,
  options: BenchOptions,
): AsyncGenerator<BenchModel> {
  const names = files.given ? (["given"] as const) : namesOf(options);
  for (const name of names) yield await makeModel(name, files, platform, options.seed);
}

/** The first model that `modelsOf` gives: what calibration and start-up are measured on. */
export async function firstModel(
  files: Files,
  platform: Platform,
  options: BenchOptions,
): Promise<BenchModel> {
  for await (const model of modelsOf(files, platform, options)) return model;
  throw new Error("bench: there are no models; please report.");
}

/** models, kernels and calibration, as far as they are asked for. */
export async function runSuites(
  platform: Platform,
  options: BenchOptions,
  files: Files,
): Promise<Bench> {
  const scale = await scaleOf(platform, options);
  const notes: Note[] = platform.missing.map(({ name, reason }) => ({
    suite: "models",
    note: `${name}: ${reason}`,
  }));
  const has = (suite: BenchOptions["suites"][number]) => options.suites.includes(suite);
  const models = has("models")
    ? await benchModels(modelsOf(files, platform, options), platform, options, scale)
    : [];
  const measured = has("kernels") ? await benchKernels(platform, options, scale) : undefined;
  if (measured) notes.push(...MISSING.map((note) => ({ suite: "kernels", note })));
  const calibration: CalibrationRow[] = [];
  if (has("calibration")) {
    const model = await firstModel(files, platform, options);
    if (model.float === undefined)
      notes.push({ suite: "calibration", note: "needs a float model; a quantized one was given" });
    else
      for (const batch of batchesOf(options, scale)) {
        try {
          calibration.push(...(await benchCalibration(model, batch, platform, options)));
        } catch (error) {
          notes.push({ suite: "calibration", note: `batch ${batch}: ${reasonOf(error)}` });
        }
      }
  }
  return {
    adapter: scale.facts,
    runtime: platform.name,
    models,
    kernels: measured?.rows ?? [],
    calibration,
    startup: [],
    ...(measured ? { ceilings: measured.ceilings } : {}),
    notes,
  };
}
