// What the driver calls in the page. Arguments and results are JSON; models come and go as files of the
// driver's server.

import type { Bench } from "../core/rows.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform, Precision } from "../core/platform.ts";
import { jaxJs, type JaxJs } from "../peers/jaxJs.ts";
import { coldAndWarm, type Starts } from "../suites/startup.ts";
import { firstModel, runSuites, type Files } from "../suites/run.ts";
import { pagePlatform } from "./platform.ts";

/** Which files the server has. */
export interface Served {
  readonly given?: string;
  readonly mobilenetV2: boolean;
  readonly jaxJs: boolean;
}

const fetchBytes = async (url: string): Promise<Uint8Array> => {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`bench: ${url} is not served; please report.`);
  return new Uint8Array(await response.arrayBuffer());
};

async function filesOf({ given, mobilenetV2 }: Served): Promise<Files> {
  return {
    ...(given === undefined
      ? {}
      : { given: { title: given, bytes: await fetchBytes("/given.onnx") } }),
    ...(mobilenetV2 ? { mobilenetV2: await fetchBytes("/mobilenetv2.onnx") } : {}),
  };
}

/** With jax-js where scripts/bench.mjs has found it. */
async function platformOf(served: Served): Promise<Platform> {
  const url = "/jaxJs.js";
  if (!served.jaxJs)
    return pagePlatform(
      [],
      [{ name: "jax-js", reason: "not installed; npm install --no-save @jax-js/onnx @jax-js/jax" }],
    );
  return pagePlatform([jaxJs((await import(/* @vite-ignore */ url)) as JaxJs)], []);
}

/** models, kernels, calibration. */
export async function bench(options: BenchOptions, served: Served): Promise<Bench> {
  return await runSuites(await platformOf(served), options, await filesOf(served));
}

const store = (name: string, body: Uint8Array) =>
  fetch(`/${name}`, { method: "PUT", body: body as Uint8Array<ArrayBuffer> });

/** Put both forms of the first model on the server, as /start-float32.onnx and /start-int8.onnx, and say
 *  who can start which. */
export async function storeStartModels(options: BenchOptions, served: Served) {
  const here = await platformOf(served);
  const model = await firstModel(await filesOf(served), here, options);
  if (model.float) await store("start-float32.onnx", model.float);
  await store("start-int8.onnx", model.int8);
  const entrants = here.runtimes.flatMap(({ name, takes }) =>
    takes
      .filter((dtype) => dtype === "int8" || model.float)
      .map((dtype) => ({ contestant: name, dtype })),
  );
  return { title: model.title, entrants };
}

/** One cold start and one warm one of a stored model, in this fresh browser. */
export async function startUp(
  contestant: string,
  dtype: Precision,
  seed: number,
  served: Served,
): Promise<Starts> {
  const { runtimes } = await platformOf(served);
  const runtime = runtimes.find(({ name }) => name === contestant);
  if (!runtime) throw new Error(`bench: no contestant "${contestant}"; please report.`);
  return await coldAndWarm(runtime, await fetchBytes(`/start-${dtype}.onnx`), seed);
}
