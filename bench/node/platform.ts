// This Node process as a platform: Dawn through the package `webgpu`, and onnxruntime-node where that
// is installed.

import { requestDevice } from "../../src/node.ts";
import { reasonOf } from "../core/interleave.ts";
import type { BenchOptions } from "../core/options.ts";
import type { Platform } from "../core/platform.ts";
import { onnxRuntime, type Ort } from "../peers/onnxRuntime.ts";
import { ours } from "../peers/ours.ts";

/** A name that no bundler and no type checker looks up: the package is optional. */
const PACKAGE: string = "onnxruntime-node";

/** What Dawn calls features that browsers hide behind a flag: matrices of subgroups are one. */
const EXPERIMENTAL = ["enable-dawn-features=allow_unsafe_apis"];

export async function nodePlatform(
  say: (line: string) => void,
  { family = [] }: Pick<BenchOptions, "family">,
): Promise<Platform> {
  let ort: Ort | undefined;
  let reason = "";
  try {
    const module = (await import(/* @vite-ignore */ PACKAGE)) as Ort & { default?: Ort };
    ort = module.default ?? module;
  } catch (error) {
    reason =
      (error as { code?: string }).code === "ERR_MODULE_NOT_FOUND"
        ? `${PACKAGE} is not installed`
        : reasonOf(error);
  }
  const load = () => (ort ? Promise.resolve(ort) : Promise.reject(new Error(reason)));
  const cpu = onnxRuntime("ort-node-cpu", "cpu", ["float32", "int8"], load);
  const webgpu = onnxRuntime("ort-node-webgpu", "webgpu", ["float32"], load);
  // QDQ as written, in float: fused, uint8 · int8 saturates on x86 CPUs without VNNI.
  const plain = onnxRuntime("ort-node-cpu, unfused", "cpu", ["float32", "int8"], load, "disabled");
  const dawnFlags = family.includes("matrix") ? EXPERIMENTAL : [];
  const openDevice = () => requestDevice({ dawnFlags });
  return {
    name: `Node ${process.versions.node}`,
    openDevice,
    runtimes: [ours(openDevice), ...(ort ? [webgpu, cpu] : [])],
    missing: ort ? [] : [webgpu, cpu].map(({ name }) => ({ name, reason })),
    trainers: [],
    missingTrainers: ["TensorFlow.js", "jax-js"].map((name) => ({
      name,
      reason: "only in a browser",
    })),
    referee: ort ? plain : undefined,
    say,
  };
}
