// Workgroups of kernels whose invocations work in quads. They share nothing beyond a quad, so any multiple of four will do.

import type { Target } from "../target.ts";
import { WORKGROUP } from "./context.ts";

/** A software adapter deals out whole workgroups to its cores: by 64 invocations a product of 14 quads would have one. */
const SOFTWARE_WORKGROUP = 8;

/** Workgroups for `quads` quads, and what the shader must know of them. */
export function quadGroups({ software }: Target, quads: number) {
  const size = software ? SOFTWARE_WORKGROUP : WORKGROUP;
  return {
    groups: Math.ceil((quads * 4) / size),
    overrides: size === WORKGROUP ? {} : { WORKGROUP: size },
  };
}
