// The parameters of all steps in one uniform buffer, written once: each step binds its own range of it.

import type { Plan } from "../plan/plan.ts";
import type { Kernel } from "./device.ts";
import { packUniform } from "./shader.ts";

/** Offsets of uniform bindings are multiples of this at the default limits. */
const ALIGNMENT = 256;

export interface Uniforms {
  readonly bytes: Uint8Array<ArrayBuffer>;
  /** Per step, bytes from the start. */
  readonly offsets: readonly number[];
}

/** Lay out the uniforms of every step of `plan`; `kernels` are its steps' kernels. */
export function packUniforms(plan: Plan, kernels: readonly Kernel[]): Uniforms {
  const packed = plan.steps.map((step, index) => {
    const params = kernels[index]?.shader.bindings["params"];
    return params?.type === "uniform" ? packUniform(params, step.uniforms) : new ArrayBuffer(0);
  });
  let size = 0;
  const offsets = packed.map(({ byteLength }) => {
    const offset = size;
    size += Math.ceil(byteLength / ALIGNMENT) * ALIGNMENT;
    return offset;
  });
  const bytes = new Uint8Array(Math.max(ALIGNMENT, size));
  packed.forEach((buffer, index) => bytes.set(new Uint8Array(buffer), offsets[index]));
  return { bytes, offsets };
}
