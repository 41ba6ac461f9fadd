// The options of every command that loads a model: sizes that it leaves open, and inputs that are known, and whether NaN and infinities are taken.

import { symbolicDims } from "../compile.ts";
import { InputError } from "../errors.ts";
import type { LoadOptions } from "../load.ts";
import type { Model } from "../model.ts";
import type { Arguments, OptionSpec } from "./arguments.ts";
import { CONSTANT_OPTION, readConstants } from "./constants.ts";
import type { Context } from "./context.ts";
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
  { signal }: Context,
  paths: readonly string[],
): Promise<LoadedModel[]> {
  const dims = readSizes(args, "dims");
  const constants = await readConstants(args, signal);
  const options: LoadOptions = {
    ...(dims === undefined ? {} : { dims }),
    ...(constants === undefined ? {} : { constants }),
    ...readNonFinite(args),
  };
  const loaded: LoadedModel[] = [];
  let refusal: unknown;
  const missing = new Set([...Object.keys(dims ?? {}), ...Object.keys(constants ?? {})]);
  for (const path of paths) {
    try {
      loaded.push(await loadModel(path, options, signal));
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
