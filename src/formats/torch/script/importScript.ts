// A TorchScript archive → a graph. The archive does not say the shape of its input, so the caller does,
// or the shape of most vision models is assumed: one picture or a batch of 3 × 224 × 224.

import { InputError, UnsupportedError } from "../../../errors.ts";
import { checkNames } from "../../../text/names.ts";
import type { Graph } from "../../../graph/graph.ts";
import type { Engine } from "../../../graph/node.ts";
import { renameValues } from "../../../graph/rename.ts";
import type { Dim } from "../../../graph/value.ts";
import { formatShape } from "../../../tensor/tensor.ts";
import type { ScriptArchive } from "../container.ts";
import { damaged } from "../limits.ts";
import { ScriptObject, type Storage } from "../pickled.ts";
import type { TensorReader } from "../tensors.ts";
import { Evaluator } from "./evaluate.ts";
import type { FunctionTree } from "./syntax.ts";
import { Translator } from "./translator.ts";
import { Traced, type Thing } from "./values.ts";

type Shape = readonly Dim[];

export interface ScriptOptions {
  /** Shape of the input, or of each input by name; a string is a size that is known at run time only.
   *  Default: ["batch", 3, 224, 224], or [1, 3, 224, 224] where the code itself fixes the batch. */
  readonly inputShape?: Shape | Readonly<Record<string, Shape>>;
  /** Sizes for names in the shape: { batch: 1 }. */
  readonly dims?: Readonly<Record<string, number>>;
  /** PyTorch's engine whose roundings quantized layers follow. Default: qnnpack's where the first layer's
   *  weight has one scale, fbgemm's where it has one a channel. */
  readonly engine?: Engine;
}

const PICTURES: Shape = ["batch", 3, 224, 224];

/**
 * The graph of the archive's `forward`. Inputs are named as its parameters, the output "output" (or
 * "output_0", … for a tuple). Quantized layers are typed: they run on the integer kernels.
 * @throws FormatError, UnsupportedError naming the op and line, InputError for a shape that does not
 *   fit.
 */
export function importScript(archive: ScriptArchive, options: ScriptOptions = {}): Graph {
  const assumed = options.inputShape === undefined;
  try {
    return read(archive, options, PICTURES);
  } catch (error) {
    // A traced model has the batch of its example in its code; then every other batch contradicts it.
    const isShape = error instanceof InputError || error instanceof UnsupportedError;
    if (!assumed || !isShape || options.dims?.["batch"] !== undefined) throw error;
  }
  try {
    return read(archive, options, [1, ...PICTURES.slice(1)]);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(
      `${error.message}\nThe archive does not say the shape of its input; [1, 3, 224, 224] was ` +
        `assumed. If it is another, give it: load(bytes, { inputShape: ["batch", 3, 32, 32] }).`,
    );
  }
}

function read(archive: ScriptArchive, options: ScriptOptions, fallback: Shape): Graph {
  const { object } = archive;
  if (!(object instanceof ScriptObject)) throw damaged("the archive holds code, but no module");
  const readers = new Map<Storage, TensorReader>();
  const translator = new Translator(archive.tensors, readers, options.engine);
  const evaluator = new Evaluator(archive, translator, readers);
  const forward = evaluator.method(object, "forward");
  if (!forward?.tree) {
    throw new UnsupportedError(
      "load",
      [{ op: object.type, node: "forward", problem: "the archive's module has no forward" }],
      "Save a module with a forward method, not saved for the lite interpreter.",
    );
  }
  const args = inputsOf(forward.tree, options, fallback).map(([name, shape]) => {
    if (shape === undefined) return null;
    return new Traced(translator.builder.input(name, { dtype: "float32", shape }));
  });
  const inputs = args.flatMap((arg) => (arg ? [arg.value] : []));
  const outputs = outputsOf(evaluator.call(forward, args, new Map()));
  const names = outputs.map((output) => translator.name(output));
  // An output that is an input, or stands twice, needs a value of its own.
  const own = names.map((name, index) =>
    inputs.includes(name) || names.indexOf(name) < index || translator.builder.constants.has(name)
      ? translator.add(
          { op: "Identity", inputs: [name] },
          "identity",
          translator.builder.value(name).quant,
        ).value
      : name,
  );
  const graph = translator.builder.build(shortName(object.type), inputs, own);
  const labels = new Map(
    own.map((name, index) => {
      const label = own.length === 1 ? "output" : `output_${index}`;
      return [name, translator.builder.fresh(label)] as const;
    }),
  );
  return renameValues(graph, (name) => labels.get(name) ?? name);
}

/** "__torch__.torchvision.models.resnet.___torch_mangle_3.ResNet" → "ResNet". */
const shortName = (type: string): string => type.slice(type.lastIndexOf(".") + 1);

/** Each parameter of `forward` with its shape; an optional one that no shape is given for is None. */
function inputsOf(
  forward: FunctionTree,
  { inputShape, dims = {} }: ScriptOptions,
  fallback: Shape,
): [string, Shape | undefined][] {
  const parameters = forward.parameters.slice(1);
  const isList = Array.isArray(inputShape);
  const named = isList || inputShape === undefined ? {} : (inputShape as Record<string, Shape>);
  const [first] = parameters;
  if (!first)
    throw new InputError(`load: forward must take an input; got none. Check the archive.`);
  const names = parameters.map(({ name }) => name);
  checkNames("load: inputShape", "input", Object.keys(named), names, "Use the model's own names.");
  const sizes = Object.values(isList ? [inputShape as Shape] : named).flat();
  const open = (inputShape === undefined ? fallback : sizes).filter(
    (dim) => typeof dim === "string",
  );
  checkNames("load: dims", "size", Object.keys(dims), [...new Set(open)]);
  return parameters.map(({ name, value }) => {
    const given = isList
      ? name === first.name
        ? (inputShape as Shape)
        : undefined
      : Object.hasOwn(named, name)
        ? named[name]
        : undefined;
    if (given !== undefined) return [name, checked(name, given, dims)];
    if (value !== undefined) return [name, undefined];
    if (inputShape === undefined && parameters.length === 1)
      return [name, checked(name, fallback, dims)];
    throw new InputError(
      `load: input "${name}" needs a shape; got none. ` +
        `Give it: load(bytes, { inputShape: { "${name}": [1, 3, 224, 224] } }).`,
    );
  });
}

function checked(name: string, shape: Shape, dims: Readonly<Record<string, number>>): Shape {
  const sizes = shape.map((dim) =>
    typeof dim === "string" && Object.hasOwn(dims, dim) ? (dims[dim] ?? dim) : dim,
  );
  const fits = sizes.every((dim) => typeof dim === "string" || (Number.isInteger(dim) && dim > 0));
  if (fits && sizes.length <= 6) return sizes;
  throw new InputError(
    `load: the shape of input "${name}" must be up to 6 positive sizes or names; got ` +
      `${formatShape(sizes)}. Give it: load(bytes, { inputShape: ["batch", 3, 224, 224] }).`,
  );
}

function outputsOf(result: Thing): Traced[] {
  if (result instanceof Traced) return [result];
  const given = Array.isArray(result) ? (result as readonly Thing[]) : [];
  const items = given.filter((item) => item !== null); // what only training returns
  const tensors = items.filter((item) => item instanceof Traced);
  if (items.length > 0 && tensors.length === items.length) return tensors;
  throw new UnsupportedError(
    "load",
    [{ op: "return", node: "forward", problem: "it must return a tensor or a tuple of tensors" }],
    "Wrap the model so that it returns tensors.",
  );
}
