// What the driver calls in the page. Arguments and results are JSON; models come and go as files of the
// driver's server.

import type { Bench } from "../core/rows.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform, Precision } from "../core/platform.ts";
import { jaxJs, type JaxJs } from "../peers/jaxJs.ts";
import { jaxTraining, type JaxTraining } from "../peers/jaxTraining.ts";
import { tensorflow, type TensorFlow } from "../peers/tensorflow.ts";
import { coldAndWarm, type Starts } from "../suites/startup.ts";
import { firstModel, runSuites, type Files } from "../suites/run.ts";
import { pagePlatform } from "./platform.ts";

/** Which files the server has. */
export interface Served {
  readonly given?: string;
  readonly mobilenetV2: boolean;
  /** Bundles of optional peers. */
  readonly peers: readonly string[];
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

const urlOf = (bundle: string) => `/${bundle}.js`;
const load = async <T>(bundle: string) => (await import(/* @vite-ignore */ urlOf(bundle))) as T;
const install = (packages: string) => `not installed; npm install --no-save ${packages}`;

/** With the peers that scripts/peers.mjs has found. */
async function platformOf({ peers }: Served): Promise<Platform> {
  const jax = peers.includes("jaxJs") ? await load<JaxJs>("jaxJs") : undefined;
  const trained = peers.includes("jaxTraining")
    ? await load<JaxTraining>("jaxTraining")
    : undefined;
  const tf = peers.includes("tensorflow") ? await load<TensorFlow>("tensorflow") : undefined;
  const missing = { name: "jax-js", reason: install("@jax-js/onnx @jax-js/jax") };
  const packages = "@tensorflow/tfjs @tensorflow/tfjs-backend-webgpu";
  return pagePlatform({
    runtimes: jax ? [jaxJs(jax)] : [],
    missing: jax ? [] : [missing],
    trainers: [...(tf ? [tensorflow(tf)] : []), ...(trained ? [jaxTraining(trained)] : [])],
    missingTrainers: [
      ...(tf ? [] : [{ name: "TensorFlow.js", reason: install(packages) }]),
      ...(trained ? [] : [{ name: "jax-js", reason: install("@jax-js/jax") }]),
    ],
  });
}

/** All suites but start-up. */
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
