// The options of every command that loads a model: sizes that it leaves open, inputs that are known, and whether
// NaN and infinities are taken.

import { symbolicDims } from "../compile.ts";
import { InputError } from "../errors.ts";
import { inputShapes } from "../formats/onnx/index.ts";
import { pictureForm } from "../jobPictures.ts";
import type { LoadOptions } from "../load.ts";
import type { Model } from "../model.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { CONSTANT_OPTION, readConstants } from "./constants.ts";
import type { Context } from "./context.ts";
import { openNote, readPreprocess } from "./data.ts";
import { loadModel, type LoadedModel } from "./files.ts";
import { NON_FINITE_OPTION, readNonFinite } from "./nonFinite.ts";
import { BOUND_OPTION, DIMS_OPTION, readSizes } from "./sizes.ts";

export const MODEL_OPTIONS: readonly OptionSpec[] = [
  DIMS_OPTION,
  BOUND_OPTION,
  CONSTANT_OPTION,
  NON_FINITE_OPTION,
];

/** Load the model at `path` as the options say. Throws UsageError, and what `loadModel` throws. */
export async function openModel(
  args: Arguments,
  context: Context,
  path = args.positional("MODEL"),
): Promise<LoadedModel> {
  return (await openModels(args, context, [path]))[0] as LoadedModel;
}

/** Load several models: each takes of the options what it has, and one of them must have each. */
export async function openModels(
  args: Arguments,
  context: Context,
  paths: readonly string[],
): Promise<LoadedModel[]> {
  const { signal } = context;
  const dims = readSizes(args, "dims");
  const constants = await readConstants(args, signal);
  const options: LoadOptions = {
    ...(dims === undefined ? {} : { dims }),
    ...(constants === undefined ? {} : { constants }),
    ...readNonFinite(args),
  };
  const sides = await sidesOf(args, context);
  const loaded: LoadedModel[] = [];
  let refusal: unknown;
  const missing = new Set([...Object.keys(dims ?? {}), ...Object.keys(constants ?? {})]);
  for (const path of paths) {
    try {
      loaded.push(await loadModel(path, options, signal, sides));
      missing.clear();
    } catch (error) {
      if (
        !(error instanceof InputError) ||
        paths.length === 1 ||
        missing.size + loaded.length === 0
      )
        throw error;
      refusal ??= error;
      const bare = await loadModel(path, readNonFinite(args), signal);
      const own = ownOptions(options, bare.model);
      const names = [own.dims, own.constants].flatMap((group) => Object.keys(group ?? {}));
      for (const name of names) missing.delete(name);
      loaded.push(
        names.length === 0
          ? bare
          : await loadModel(path, { ...own, ...readNonFinite(args) }, signal),
      );
    }
  }
  if (missing.size > 0) throw refusal;
  const [first] = loaded;
  if (first) checkBounds(args, first.model);
  return loaded;
}

/** With pictures: height and width of a model that must know them when it is loaded, and none are given. */
async function sidesOf(
  args: Arguments,
  { progress, signal }: Context,
): Promise<((file: Uint8Array) => LoadOptions["dims"]) | undefined> {
  const preprocess = args.text("preprocess");
  if (!args.has("data") || args.has("dims") || preprocess === undefined) return undefined;
  const spec = await readPreprocess(preprocess, signal);
  return (file) => {
    const [shape, ...more] = inputShapes(file).values();
    const form = shape && more.length === 0 ? pictureForm(shape, spec) : undefined;
    if (!form || form.open.length === 0) return undefined;
    progress.note(openNote(form));
    const [height, width] =
      form.layout === "nchw" ? (shape?.slice(2) ?? []) : (shape?.slice(1) ?? []);
    const entries = [
      [height, form.height],
      [width, form.width],
    ] as const;
    return Object.fromEntries(entries.filter(([name]) => typeof name === "string"));
  };
}

/** What of `options` names something that `model` has. */
function ownOptions({ dims = {}, constants = {} }: LoadOptions, model: Model): LoadOptions {
  const open = symbolicDims(model.graph);
  const ownDims = Object.entries(dims).filter(([name]) => open.includes(name));
  const inputs = Object.keys(model.inputs);
  const ownConstants = Object.entries(constants).filter(([name]) => inputs.includes(name));
  return {
    ...(ownDims.length > 0 ? { dims: Object.fromEntries(ownDims) } : {}),
    ...(ownConstants.length > 0 ? { constants: Object.fromEntries(ownConstants) } : {}),
  };
}

/** Refuse bounds of sizes that the model does not leave open, before anything runs. */
function checkBounds(args: Arguments, model: Model): void {
  const open = symbolicDims(model.graph);
  for (const name of Object.keys(readSizes(args, "bound") ?? {})) {
    if (open.includes(name)) continue;
    args.fail(
      `--bound ${name}: the model has no open size "${name}"; it has ${open.join(", ") || "none"}`,
    );
  }
}
