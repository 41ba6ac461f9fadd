// The page as a platform: this library on the page's WebGPU, and onnxruntime-web from the files that
// its package ships, served as they are. Each execution provider has its own build of it.

import { requestDevice } from "../../src/index.ts";
import type { Platform, Runtime } from "../core/platform.ts";
import { onnxRuntime, type Ort } from "../peers/onnxRuntime.ts";
import { ours } from "../peers/ours.ts";
import { THREAD_TIME } from "./threadTime.ts";

interface OrtWeb extends Ort {
  readonly env: { readonly wasm: { numThreads?: number; wasmPaths?: string } };
}

/** Where the driver serves onnxruntime-web's dist folder. */
const ORT = "/onnxruntime-web/";

/** A build of onnxruntime-web. One instance per file: the module is cached. */
const loader = (file: string) => async (): Promise<OrtWeb> => {
  const ort = (await import(/* @vite-ignore */ `${ORT}${file}`)) as OrtWeb;
  ort.env.wasm.wasmPaths = ORT;
  // Threads need a page that is isolated from other origins; the driver's server makes it so.
  ort.env.wasm.numThreads = crossOriginIsolated ? navigator.hardwareConcurrency : 1;
  return ort;
};

const ortWebGpu = onnxRuntime(
  "ort-webgpu",
  "webgpu",
  ["float32"],
  loader("ort.webgpu.bundle.min.mjs"),
);
const ortWasm = onnxRuntime(
  "ort-wasm",
  "wasm",
  ["float32", "int8"],
  loader("ort.wasm.bundle.min.mjs"),
);

const version = /Chrom\w*\/(\d+)/.exec(navigator.userAgent)?.[1] ?? "";

/** Who was installed, and who was not. */
type Peers = Pick<Platform, "missing" | "trainers" | "missingTrainers"> & {
  readonly runtimes: readonly Runtime[];
};

/** This page. Progress goes to the console, where the driver reads it. */
export function pagePlatform(peers: Peers): Platform {
  const threadTime = (globalThis as Record<string, unknown>)[THREAD_TIME] as Platform["threadTime"];
  return {
    name: `Chromium ${version}, ${navigator.hardwareConcurrency} WASM threads`,
    openDevice: () => requestDevice(),
    runtimes: [ours(() => requestDevice()), ortWebGpu, ortWasm, ...peers.runtimes],
    missing: peers.missing,
    trainers: peers.trainers,
    missingTrainers: peers.missingTrainers,
    ...(threadTime ? { threadTime } : {}),
    referee: ortWasm,
    say: (line) => console.log(line),
  };
}
