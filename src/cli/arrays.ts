// NumPy files on the command line: [NAME=]FILE.npy, or an FILE.npz of arrays that have the inputs' names.

import { InputError } from "../errors.ts";
import { isNpz, parseNpz } from "../formats/npz.ts";
import { parseNpy } from "../tensor/npy.ts";
import type { Tensor } from "../tensor/tensor.ts";
import type { Arguments } from "./arguments.ts";
import type { Context } from "./context.ts";
import { readInput } from "./files.ts";

/** Name → array, for the `names` that the options give. Arrays of an .npz that are not among them are told in
 *  a note. Throws UsageError, InputError, FormatError. */
export async function readArrays(
  args: Arguments,
  option: string,
  names: readonly string[],
  { progress, signal }: Pick<Context, "progress" | "signal">,
): Promise<Map<string, Tensor>> {
  const arrays = new Map<string, Tensor>();
  const put = (name: string, array: Tensor): void => {
    if (arrays.has(name)) args.fail(`--${option} for "${name}" is given twice`);
    arrays.set(name, array);
  };
  for (const text of args.list(option)) {
    const named = names.find((name) => text.startsWith(`${name}=`));
    const path = named === undefined ? text : text.slice(named.length + 1);
    const bytes = await readInput(`--${option}`, path, signal);
    if (named !== undefined) {
      put(named, onlyArray(`--${option}`, path, bytes, named));
      continue;
    }
    if (!isNpz(bytes)) {
      const open = names.filter((name) => !arrays.has(name));
      const [only] = open;
      const known = open.map((name) => `"${name}"`).join(", ") || "no other";
      if (only === undefined || open.length > 1)
        args.fail(`--${option} must be NAME=FILE, the model has ${known}; got "${text}"`);
      put(only, parseNpy(bytes, path));
      continue;
    }
    const found = parseNpz(bytes);
    const unread = [...found.keys()].filter((name) => !names.includes(name));
    if (unread.length === found.size) {
      throw new InputError(
        `--${option} "${path}": one array must have an input's name, ${names.join(" or ")}; got ` +
          `${unread.join(", ") || "no array"}. Save it with numpy.savez("${path}", ${names[0]}=…).`,
      );
    }
    for (const name of unread) progress.note(`note: array "${name}" of ${path} is not read.`);
    for (const name of names) {
      const array = found.get(name);
      if (array) put(name, array);
    }
  }
  return arrays;
}

/** The array of an .npy file; of an .npz file the one called `name`, or its only one. */
export function onlyArray(what: string, path: string, bytes: Uint8Array, name: string): Tensor {
  if (!isNpz(bytes)) return parseNpy(bytes, path);
  const arrays = parseNpz(bytes);
  const [only] = arrays.values();
  const array = arrays.get(name) ?? (arrays.size === 1 ? only : undefined);
  if (array) return array;
  throw new InputError(
    `${what} "${path}": must hold an array "${name}" or one alone; got ` +
      `${[...arrays.keys()].join(", ") || "none"}. Rename it, or save it by itself.`,
  );
}

/** `array` from `from` to `to` along `axis`. */
export function slice(array: Tensor, axis: number, from: number, to: number): Tensor {
  const indices = Array.from({ length: to - from }, (_, index) => from + index);
  return take(array, axis, indices);
}

/** The `indices` of `array` along `axis`, in their order. */
export function take(array: Tensor, axis: number, indices: readonly number[]): Tensor {
  const { dtype, shape, data } = array;
  const inner = shape.slice(axis + 1).reduce((product, size) => product * size, 1);
  const size = shape[axis] ?? 1;
  const outer = shape.slice(0, axis).reduce((product, each) => product * each, 1);
  const taken = data.slice(0, outer * indices.length * inner);
  for (let row = 0; row < outer; row++) {
    indices.forEach((index, at) => {
      const start = (row * size + index) * inner;
      const part = data.subarray(start, start + inner);
      (taken as Float32Array).set(part as Float32Array, (row * indices.length + at) * inner);
    });
  }
  return { dtype, shape: shape.with(axis, indices.length), data: taken } as Tensor;
}
