// A shader's text, put together for one device and one tile.

import { dot4 } from "./shaders.gen.ts";
import type { Shader } from "./shader.ts";
import { expand } from "./template.ts";

/** The shader's text: its parts, the dot product's replacement where needed, directives first, expanded
 *  for the tile sizes among `overrides`. */
export function joinParts(
  shader: Shader,
  packedDot: boolean,
  overrides: Readonly<Record<string, number>> = {},
): string {
  const parts = shader.parts.map((part) =>
    !packedDot && part === dot4.packed ? dot4.unpacked : part,
  );
  const directive = /^(requires|enable) .*;$/gm;
  const code = parts.join("\n");
  const whole = [...(code.match(directive) ?? []), code.replace(directive, "")].join("\n");
  return expand(whole, { ...shader.tile, ...overrides });
}
