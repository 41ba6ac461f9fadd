// A state dict as an architecture reads it: each entry is asked for by name and shape. What is missing,
// misshapen or left over is collected, so that one error tells it all.

import { WeightsError } from "../errors.ts";
import type { StateDict, StateEntry } from "../formats/torch/stateDict.ts";
import type { QParams } from "../graph/value.ts";
import { formatShape, sizeOf, toNumbers, type Tensor } from "../tensor/tensor.ts";

/** How a state dict and an architecture disagree. */
export interface Misfit {
  readonly missing: readonly string[];
  /** "name: must have …; got …" */
  readonly misshapen: readonly string[];
  readonly unexpected: readonly string[];
  /** Number of entries that are as asked for. */
  readonly fitting: number;
}

/** Buffers that training needs and inference does not. */
const UNUSED = [/(^|\.)num_batches_tracked$/];

/** Training scripts wrap what they save: `state_dict.` of a checkpoint, `module.` of DataParallel. */
function unwrap(state: StateDict): StateDict {
  let entries = [...state];
  for (const [prefix, isWhole] of [
    ["state_dict.", false],
    ["module.", true],
  ] as const) {
    const inside = entries.filter(([name]) => name.startsWith(prefix));
    if (inside.length === 0 || (isWhole && inside.length < entries.length)) continue;
    entries = inside.map(([name, entry]) => [name.slice(prefix.length), entry]);
  }
  return new Map(entries);
}

/** Classes of a classifier: what a file says of them is not believed beyond this. */
const MOST_ROWS = 65_536;

/** Zeros stand for what is missing; one buffer serves all, since nothing is computed from them. */
let zeros = new ArrayBuffer(0);
/** Bytes that are kept for the next one. */
const KEPT_ZEROS = 64 * 2 ** 20;

function zeroBytes(length: number): ArrayBuffer {
  if (length > KEPT_ZEROS) return new ArrayBuffer(length);
  if (zeros.byteLength < length) zeros = new ArrayBuffer(length);
  return zeros;
}

export class Weights {
  readonly #model: string;
  readonly #state: StateDict;
  readonly #unused: readonly RegExp[];
  /** Every name asked for, with its shape. */
  readonly asked = new Map<string, readonly number[]>();
  #missing: string[] = [];
  #misshapen: string[] = [];

  /** `unused` are names that this architecture may have and never reads. */
  constructor(model: string, state: StateDict, unused: readonly RegExp[] = []) {
    this.#model = model;
    this.#state = unwrap(state);
    this.#unused = [...UNUSED, ...unused];
  }

  has(name: string): boolean {
    return this.#state.has(name);
  }

  /** Rows of matrix `name`, where it is there: how many classes a classifier tells apart. */
  rows(name: string, usual: number): number {
    const [rows = 0, columns = 0, ...rest] = this.#state.get(name)?.tensor.shape ?? [];
    return rows > 0 && rows <= MOST_ROWS && columns > 0 && rest.length === 0 ? rows : usual;
  }

  #take(name: string, shape: readonly number[]): StateEntry | undefined {
    this.asked.set(name, shape);
    const entry = this.#state.get(name);
    if (!entry) {
      this.#missing.push(name);
      return undefined;
    }
    // A scalar may be stored as a list of one.
    const isScalar = shape.length === 0 && sizeOf(entry.tensor.shape) === 1;
    if (!isScalar && formatShape(entry.tensor.shape) !== formatShape(shape)) {
      this.#refuse(name, `shape ${formatShape(shape)}`, formatShape(entry.tensor.shape));
      return undefined;
    }
    return entry;
  }

  #refuse(name: string, wanted: string, got: string): void {
    this.#misshapen.push(`${name}: must have ${wanted}; got ${got}`);
  }

  /** Float entry `name`; zeros stand for one that is missing, until `finish` throws. */
  float(name: string, shape: readonly number[]): Tensor<"float32"> {
    const entry = this.#take(name, shape);
    const value = entry?.tensor;
    if (value && (value.dtype !== "float32" || entry.quant)) {
      this.#refuse(name, "float32", entry.quant ? `quantized ${value.dtype}` : value.dtype);
    } else if (value) return value as Tensor<"float32">;
    const count = sizeOf(shape);
    return { dtype: "float32", shape, data: new Float32Array(zeroBytes(4 * count), 0, count) };
  }

  /** Quantized weight `name`: symmetric int8, per tensor or per output channel (axis 0). */
  quantized(name: string, shape: readonly number[]): { tensor: Tensor<"int8">; quant: QParams } {
    const entry = this.#take(name, shape);
    if (entry) {
      const { quant, tensor: value } = entry;
      const isSymmetric = quant?.zeroPoint.every((zero) => zero === 0) === true;
      if (quant?.dtype === "int8" && isSymmetric && (quant.axis ?? 0) === 0) {
        return { tensor: value as Tensor<"int8">, quant };
      }
      const got = quant ? `${quant.dtype} along axis ${quant.axis ?? "none"}` : value.dtype;
      this.#refuse(name, "symmetric int8, per tensor or along axis 0", got);
    }
    const one = { scale: Float32Array.of(1), zeroPoint: Int32Array.of(0) };
    const count = sizeOf(shape);
    const data = new Int8Array(zeroBytes(count), 0, count);
    return { tensor: { dtype: "int8", shape, data }, quant: { dtype: "int8", ...one } };
  }

  /** Parameters of the activation of module `name`: quint8, per tensor. */
  activation(name: string): QParams {
    const [scale = 1] = toNumbers(
      this.#take(`${name}.scale`, [])?.tensor ?? { data: new Float32Array() },
    );
    const [zero = 0] = toNumbers(
      this.#take(`${name}.zero_point`, [])?.tensor ?? { data: new Int32Array() },
    );
    if (!(scale > 0 && Number.isFinite(scale))) {
      this.#refuse(`${name}.scale`, "a positive number", String(scale));
    }
    if (!(Number.isInteger(zero) && zero >= 0 && zero <= 255)) {
      this.#refuse(`${name}.zero_point`, "an integer in 0 … 255", String(zero));
    }
    return { dtype: "uint8", scale: Float32Array.of(scale), zeroPoint: Int32Array.of(zero) };
  }

  /** What was asked for and was not there, or was otherwise than asked for, and what nobody asked for. */
  misfit(): Misfit {
    const unexpected = [...this.#state.keys()].filter(
      (name) => !this.asked.has(name) && !this.#unused.some((pattern) => pattern.test(name)),
    );
    const [missing, misshapen] = [this.#missing, this.#misshapen];
    const fitting = Math.max(0, this.asked.size - missing.length - misshapen.length);
    return { missing, misshapen, unexpected, fitting };
  }

  /** Throws WeightsError unless every entry asked for was there and every other one may be unused. */
  finish(): void {
    const { missing, misshapen, unexpected } = this.misfit();
    if (missing.length + misshapen.length + unexpected.length === 0) return;
    throw new WeightsError(this.#model, missing, misshapen, unexpected);
  }
}
