// A shader's text, put together for one device and one tile.

import { dot4, matrixForms } from "./shaders.gen.ts";
import type { Shader } from "./shader.ts";
import { expand } from "./template.ts";

/** The shader's text: its parts, the dot product's and the matrices' replacements where needed, directives
 *  first, expanded for the tile sizes among `overrides`. */
export function joinParts(
  shader: Shader,
  packedDot: boolean,
  overrides: Readonly<Record<string, number>> = {},
): string {
  const matrices: string = matrixForms[overrides["MATRIX_FORM"] ?? 0] ?? matrixForms[0];
  const parts = shader.parts.map((part) => {
    if (!packedDot && part === dot4.packed) return dot4.unpacked;
    return part === matrixForms[0] ? matrices : part;
  });
  const directive = /^(requires|enable) .*;$/gm;
  const code = parts.join("\n");
  const whole = [...(code.match(directive) ?? []), code.replace(directive, "")].join("\n");
  return expand(whole, { ...shader.tile, ...overrides });
}
