// NumPy's .npz files: a zip file of one .npy a name, stored (numpy.savez) or deflated
// (numpy.savez_compressed). https://numpy.org/doc/stable/reference/generated/numpy.savez.html

import { FormatError } from "../errors.ts";
import { parseNpy } from "../tensor/npy.ts";
import type { Tensor } from "../tensor/tensor.ts";
import { Budget, type ZipRules } from "./zip/rules.ts";
import { isZip, Zip } from "./zip/zip.ts";

const REWRITE = "Write it with numpy.savez or numpy.savez_compressed.";

function damaged(problem: string, offset?: number): FormatError {
  return new FormatError("npz", problem, REWRITE, offset);
}

/** Masks of ones deflate to a thousandth, as far as deflate goes; the account bounds the whole. */
const RULES: ZipRules = {
  fileBytes: 2 ** 31 - 1,
  entries: 10_000,
  expansion: 1032,
  damaged,
};

/** Inflated bytes of a whole file: a hundred times the file and 16 MiB. */
const INFLATED = { perByte: 100, base: 16 * 2 ** 20 };

/** True where `bytes` begin as an .npz file does. */
export const isNpz = isZip;

/** The arrays of an .npz file by name, in the file's order. Throws FormatError. */
export function parseNpz(bytes: Uint8Array): Map<string, Tensor> {
  const zip = new Zip(
    bytes,
    RULES,
    new Budget(INFLATED.perByte * bytes.length + INFLATED.base, damaged),
  );
  const arrays = new Map<string, Tensor>();
  for (const entry of zip.names) {
    const name = /^(.+)\.npy$/s.exec(entry)?.[1];
    if (name === undefined) throw damaged(`every entry must be an .npy file; got "${entry}"`);
    const file = zip.get(entry) ?? new Uint8Array();
    arrays.set(name, parseNpy(file, `npz, array "${name}"`));
  }
  return arrays;
}
