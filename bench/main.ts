// `npm run bench`: what was typed → suites, here or in headless Chromium → tables, and a JSON file.
// Bundled into one file; without a browser it needs Node and the package `webgpu` and nothing else.

import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { cpus, totalmem } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { BrowserBench } from "./browser/driver.ts";
import { reasonOf } from "./core/interleave.ts";
import { HELP, parseOptions, UsageError, type BenchOptions } from "./core/options.ts";
import { printBench } from "./core/print.ts";
import type { Bench, Report } from "./core/rows.ts";
import { nodePlatform } from "./node/platform.ts";
import { runInNode } from "./node/run.ts";
import { profileSteps, profileTraining } from "./node/steps.ts";
import { firstModel, type Files } from "./suites/run.ts";
import { writeWhole } from "../src/storage/nodeFiles.ts";

/** A trained MobileNetV2 that may lie beside the checkout. */
const TRAINED = "../shared/data/models/mobilenetv2-float.onnx";

const say = (line: string): void => console.error(line);

function filesOf({ model }: BenchOptions): Files {
  if (model !== undefined && !existsSync(model))
    throw new UsageError(`bench: --model ${model} is not there. Check the path.`);
  const read = (path: string) => new Uint8Array(readFileSync(path));
  return {
    ...(model === undefined ? {} : { given: { title: basename(model), bytes: read(model) } }),
    ...(existsSync(TRAINED) ? { mobilenetV2: read(TRAINED) } : {}),
  };
}

const PACKAGES = [
  ...["webgpu", "onnxruntime-web", "onnxruntime-node", "playwright"],
  ...["@jax-js/jax", "@tensorflow/tfjs"],
];

/** Versions of the packages that take part, as far as they are installed. */
function versions(): Record<string, string> {
  const require = createRequire(import.meta.url);
  const found: Record<string, string> = {};
  for (const name of PACKAGES) {
    const file = require.resolve
      .paths(name)
      ?.map((folder) => join(folder, name, "package.json"))
      .find(existsSync);
    if (file) found[name] = (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  }
  return found;
}

function reportOf(bench: Bench, { seed }: BenchOptions, words: readonly string[]): Report {
  const processors = cpus();
  return {
    ...bench,
    date: new Date().toISOString(),
    command: `npm run bench -- ${words.join(" ")}`.trim(),
    seed,
    machine: {
      platform: `${process.platform} ${process.arch}`,
      cpu: processors[0]?.model ?? "",
      cores: processors.length,
      memoryGB: Math.round(totalmem() / 2 ** 30),
      node: process.versions.node,
    },
    versions: versions(),
  };
}

async function inBrowser(options: BenchOptions, files: Files): Promise<Bench> {
  const pageFolder = fileURLToPath(new URL("page", import.meta.url));
  const { CHROMIUM: chromium } = process.env;
  if (!chromium || !existsSync(pageFolder))
    throw new UsageError(
      "bench: no browser is set up here. Run it with `npm run bench` from a checkout, or pass --node.",
    );
  await using browser = await BrowserBench.open({ chromium, pageFolder, say }, files);
  return await browser.run(options);
}

/** Resolves with whether all that was asked for came about; contestants that fail are results, too. */
async function run(options: BenchOptions, words: readonly string[]): Promise<boolean> {
  let isWhole = true;
  const files = filesOf(options);
  say(`bench: seed ${options.seed}`);
  const { suites } = options;
  if (suites.some((suite) => suite !== "steps")) {
    const bench = options.node
      ? await runInNode(await nodePlatform(say, options), options, files)
      : await inBrowser(options, files);
    console.log(`\n${printBench(bench)}`);
    isWhole = !bench.notes.some(({ failed }) => failed);
    if (options.json !== undefined) {
      const report = reportOf(bench, options, words);
      const text = `${JSON.stringify(report, undefined, 2)}\n`;
      await writeWhole(options.json, new TextEncoder().encode(text));
      say(`bench: wrote ${options.json}`);
    }
  }
  if (suites.includes("steps")) {
    const platform = await nodePlatform(say, options);
    const text = options.training
      ? await profileTraining(platform, options)
      : await profileSteps(await firstModel(files, platform, options), platform, options);
    console.log(`\n${text}`);
  }
  return isWhole;
}

const words = process.argv.slice(2);
try {
  const options = parseOptions(words);
  let isWhole = true;
  if (options === "help") console.log(HELP);
  else isWhole = await run(options, words);
  process.exit(isWhole ? 0 : 1);
} catch (error) {
  console.error(reasonOf(error));
  process.exit(error instanceof UsageError ? 2 : 1);
}
