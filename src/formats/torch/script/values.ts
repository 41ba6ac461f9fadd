// What the names of a running `forward` stand for. Numbers, strings and lists are known; tensors that
// depend on the input are names in the graph under construction.

import type { ScriptObject, StridedTensor } from "../pickled.ts";
import type { FunctionTree } from "./syntax.ts";

/** A tensor that the graph computes. In-place ops give it a new value; what shared its memory then
 *  must not be read any more, since the graph has no memory to share. */
export class Traced {
  value: string;
  /** Set where an in-place op on an alias changed it behind the graph's back: that op. */
  stale: string | undefined = undefined;
  /** All tensors on the same memory, this one included. */
  readonly aliases: Set<Traced>;

  constructor(value: string, of?: Traced) {
    this.value = value;
    this.aliases = of?.aliases ?? new Set();
    this.aliases.add(this);
  }
}

/** A size that is known by name only ("batch"). */
export class NamedSize {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A module or other object of the archive, and its path from the root: "features.0.conv". */
export class Module {
  readonly object: ScriptObject;
  readonly path: string;
  constructor(object: ScriptObject, path: string) {
    this.object = object;
    this.path = path;
  }
}

/** Something to call: one of PyTorch's ops by name, a function of the archive, a method of an object. */
export class Callable {
  readonly name: string;
  readonly tree: FunctionTree | undefined;
  readonly self: Module | undefined;
  constructor(name: string, tree?: FunctionTree, self?: Module) {
    this.name = name;
    this.tree = tree;
    this.self = self;
  }
}

/** The weight and bias of a quantized layer, as conv2d_prepack and linear_prepack take them. */
export class Packed {
  readonly weight: StridedTensor;
  readonly bias: StridedTensor | null;
  /** Of a convolution. */
  readonly window: PackedWindow | undefined;
  /** Path of the layer that owns it. */
  readonly path: string;
  constructor(
    weight: StridedTensor,
    bias: StridedTensor | null,
    window: PackedWindow | undefined,
    path: string,
  ) {
    this.weight = weight;
    this.bias = bias;
    this.window = window;
    this.path = path;
  }
}

export interface PackedWindow {
  readonly strides: readonly number[];
  readonly padding: readonly number[];
  readonly dilations: readonly number[];
  readonly group: number;
}

export type Thing =
  | null
  | boolean
  | number
  | string
  | readonly Thing[]
  | Traced
  | NamedSize
  | StridedTensor
  | Module
  | Callable
  | Packed;
