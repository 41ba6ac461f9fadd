// What an import knows while it walks the nodes. Its one idea: every name of the file stands for an
// entry (a constant, a list of sizes, or a value of the graph being built), and a node whose inputs are
// all known is evaluated here instead of being added. So `x.view(x.size(0), -1)`, which a file spells as
// Shape → Gather → Unsqueeze → Concat → Reshape, ends as one Reshape with a symbolic size.

import type { DType } from "../../tensor/dtype.ts";
import { formatShape, sizeOf, type Tensor } from "../../tensor/tensor.ts";
import { GraphBuilder } from "../../graph/builder.ts";
import { carrierOf, takes } from "../../graph/dtypes.ts";
import type { Node } from "../../graph/node.ts";
import { inferShapes } from "../../graph/shapes.ts";
import type { Dim, QParams, Value } from "../../graph/value.ts";
import { comparisons, evaluate, isMovement } from "./evaluate.ts";
import type { OnnxLimits } from "./limits.ts";
import { Names } from "./names.ts";
import { damaged } from "./wire.ts";

export type Entry =
  /** Known elements; becomes a constant of the graph when a node that stays needs it. */
  | { readonly kind: "constant"; readonly tensor: Tensor }
  /** int64 elements of which some are names of sizes ("batch"), row-major. */
  | { readonly kind: "sizes"; readonly shape: readonly number[]; readonly sizes: readonly Dim[] }
  /** int64 elements start, start + 1, … along the one axis that is longer than 1; its size has a name. */
  | { readonly kind: "range"; readonly shape: readonly Dim[]; readonly start: Dim }
  | { readonly kind: "value"; readonly value: Value };

/** Something this library cannot import: the importer collects these and names them all at once. */
export class Refusal extends Error {}

/** Ops whose output has no part in the quantization of their input. */
const OWN_TYPE = new Set("Cast Quantize Dequantize ConvInteger MatMulInteger LSTM GRU".split(" "));

export class Scope {
  readonly builder = new GraphBuilder();
  readonly opset: number;
  readonly limits: OnnxLimits;
  readonly names = new Names();
  readonly nodeNames = new Names();
  #entries = new Map<string, Entry>();
  #quantized = new Map<string, { name: string; quant: QParams }[]>();
  #inputs = new Set<string>();
  #fixed = new Set<string>();
  #folded = 0;

  constructor(opset: number, limits: OnnxLimits) {
    this.opset = opset;
    this.limits = limits;
  }

  entry(name: string): Entry | undefined {
    return this.#entries.get(name);
  }

  isInput(name: string): boolean {
    return this.#inputs.has(name);
  }

  /** The graph inputs that value `name` is computed from. */
  inputsOf(name: string): string[] {
    const wanted = new Set([name]);
    for (const node of this.builder.nodes.toReversed()) {
      if (!node.outputs.some((output) => wanted.has(output))) continue;
      for (const input of node.inputs) wanted.add(input);
    }
    return [...this.#inputs].filter((input) => wanted.has(input));
  }

  setInput(name: string, value: Value): void {
    this.builder.input(name, value);
    this.#inputs.add(name);
    this.#entries.set(name, { kind: "value", value });
  }

  setConstant(name: string, tensor: Tensor): void {
    this.#entries.set(name, { kind: "constant", tensor });
  }

  /** Whether `name` does not depend on any graph input, such as a dequantized weight. */
  isFixed(name: string): boolean {
    const isValue = this.#entries.get(name)?.kind === "value";
    return this.#fixed.has(name) || this.builder.constants.has(name) || !isValue;
  }

  /** A constant whose elements are q, under a name that nothing else has. */
  setQuantized(name: string, tensor: Tensor, quant: QParams): void {
    this.builder.constant(name, tensor, quant);
    this.#fixed.add(name);
    this.#entries.set(name, { kind: "value", value: this.builder.value(name) });
  }

  /** A list of sizes; a constant where all are numbers. */
  setSizes(name: string, shape: readonly number[], sizes: readonly Dim[]): void {
    if (sizes.every((size) => typeof size === "number")) {
      const data = BigInt64Array.from(sizes, (size) => BigInt(Math.trunc(size)));
      this.setConstant(name, { dtype: "int64", shape, data });
    } else this.#entries.set(name, { kind: "sizes", shape, sizes });
  }

  /** Whole numbers from `start` on. */
  setRange(name: string, start: Dim, shape: readonly Dim[]): void {
    this.#entries.set(name, { kind: "range", start, shape });
  }

  /** `name` stands for what `other` stands for. */
  alias(name: string, other: string): void {
    const entry = this.#entries.get(other);
    if (entry) this.#entries.set(name, entry);
  }

  /** Refuse more folding than the limit allows, before anything is allocated. */
  charge(elements: number): void {
    this.#folded += elements;
    if (this.#folded <= this.limits.foldedElements) return;
    throw damaged(
      `constants computed at import have more than ${this.limits.foldedElements} elements`,
      undefined,
      "Fold constants before export, or raise limits.foldedElements.",
    );
  }

  shapeOf(name: string): readonly Dim[] {
    const entry = this.#entries.get(name);
    if (entry?.kind === "constant") return entry.tensor.shape;
    if (entry?.kind === "sizes" || entry?.kind === "range") return entry.shape;
    return entry?.value.shape ?? [];
  }

  dtypeOf(name: string): DType {
    const entry = this.#entries.get(name);
    if (entry?.kind === "constant") {
      // Stored in half the bytes, and float32 to every op.
      return entry.tensor.dtype === "float16" ? "float32" : entry.tensor.dtype;
    }
    return entry?.kind === "value" ? entry.value.dtype : "int64";
  }

  /** Evaluate `node` where its inputs are known, else add it to the graph. */
  add(node: Node, type: { dtype?: DType; quant?: QParams } = {}): void {
    const shapes = inferShapes(
      node,
      node.inputs.map((name) => this.shapeOf(name)),
    );
    for (const shape of shapes) this.#checkShape(node, shape);
    const entries = node.inputs.map((name) => this.#entries.get(name));
    if (this.#count(node, shapes[0] ?? [])) return;
    const isKnown = entries.every((entry) => entry !== undefined && entry.kind !== "value");
    const isOpen = shapes.some((shape) => shape.some((dim) => typeof dim === "string"));
    if (isKnown && !isOpen && this.#fold(node, shapes)) return;
    for (const name of node.inputs) this.#keep(node, name);
    this.emit(node, { ...this.#typeOf(node), ...type });
  }

  /** Add a node whose inputs are values of the graph already. */
  emit(node: Node, type: { dtype?: DType; quant?: QParams }): void {
    this.builder.add(node, type);
    const isFixed = node.inputs.every((name) => this.isFixed(name));
    for (const name of node.outputs) {
      const isOpen = this.builder.value(name).shape.some((dim) => typeof dim === "string");
      if (isFixed && !isOpen) this.#fixed.add(name);
      this.#entries.set(name, { kind: "value", value: this.builder.value(name) });
    }
  }

  /** A constant whose elements are q: its name in the graph. One initializer may serve two scales. */
  addQuantized(name: string, tensor: Tensor, quant: QParams): string {
    const known = this.#quantized.get(name) ?? [];
    const same = known.find((other) => sameQuant(other.quant, quant));
    if (same) return same.name;
    const own = known.length === 0 ? name : this.names.fresh(name);
    this.#quantized.set(name, [...known, { name: own, quant }]);
    this.builder.constant(own, tensor, quant);
    return own;
  }

  #fold(node: Node, shapes: readonly (readonly Dim[])[]): boolean {
    if (shapes.flat().some((dim) => typeof dim === "string")) return false;
    const elements = shapes.reduce((sum, shape) => sum + sizeOf(shape.map(Number)), 0);
    const entries = node.inputs.map((name) => this.#entries.get(name));
    const tensors = entries.flatMap((entry) => (entry?.kind === "constant" ? [entry.tensor] : []));
    if (tensors.length === entries.length) {
      const results = evaluate(node, tensors, shapes as number[][], () => this.charge(elements));
      results?.forEach((tensor, index) => this.setConstant(node.outputs[index] ?? "", tensor));
      return results !== undefined;
    }
    if (node.op in comparisons) return this.#compareSizes(node, shapes);
    const isMoved = isMovement(node) || (node.op === "Where" && entries[0]?.kind === "constant");
    if (node.op === "Cast" && node.to === "int64") {
      this.alias(node.outputs[0] ?? "", node.inputs[0] ?? "");
      return true;
    }
    if (!isMoved) throw new Refusal("arithmetic on a size that is not known at import");
    this.charge(node.inputs.reduce((sum, name) => sum + sizeOf(this.shapeOf(name).map(Number)), 0));
    // Move indices into the pool of all elements, then read the elements back through them.
    const pool: Dim[] = [];
    const indices = entries.map((entry, index): Tensor => {
      if (node.op === "Where" && index === 0 && entry?.kind === "constant") return entry.tensor;
      const first = pool.length;
      const elementsOf = entry?.kind === "sizes" ? entry.sizes : numbersOf(entry);
      for (const element of elementsOf) pool.push(element);
      const data = Int32Array.from(elementsOf, (_, at) => first + at);
      return { dtype: "int32", shape: this.shapeOf(node.inputs[index] ?? "") as number[], data };
    });
    const moved = evaluate(node, indices, shapes as number[][], () => this.charge(elements));
    moved?.forEach(({ data, shape }, index) => {
      const sizes = Array.from(data as Int32Array, (at) => pool[at] ?? 0);
      this.setSizes(node.outputs[index] ?? "", shape, sizes);
    });
    return moved !== undefined;
  }

  /** Positions up to a size: cut out of a constant that holds 0, 1, 2, …, or given another shape. */
  #count(node: Node, shape: readonly Dim[]): boolean {
    const [name = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const entry = this.#entries.get(name);
    if (entry?.kind === "range") {
      if (node.op === "Cast" && node.to === "int64") this.alias(output, name);
      else if (isMovement(node) && shape.filter((size) => size !== 1).length === 1)
        this.setRange(output, entry.start, shape);
      else
        throw new Refusal(`input "${name}" counts up to a size; only Gather of a table takes it`);
      return true;
    }
    const isOpen = shape.some((dim) => typeof dim === "string");
    if (node.op !== "Slice" || !isOpen || entry?.kind !== "constant") return false;
    const { dtype, data, shape: whole } = entry.tensor;
    const isCount =
      dtype === "int64" &&
      Array.from(data, Number).every((value, at) => value === at) &&
      node.axes.length === 1 &&
      whole[node.axes[0] ?? 0] === data.length;
    if (isCount) this.setRange(output, node.starts[0] ?? 0, shape);
    return isCount;
  }

  /** Compare lists of sizes, where what is compared does not hang on a size that is not known. */
  #compareSizes(node: Node, shapes: readonly (readonly Dim[])[]): boolean {
    const shape = (shapes[0] ?? []).map(Number);
    this.charge(sizeOf(shape));
    const [a, b] = node.inputs.map((name) => {
      const entry = this.#entries.get(name);
      const elements: readonly Dim[] = entry?.kind === "sizes" ? entry.sizes : numbersOf(entry);
      const from = this.shapeOf(name) as readonly number[];
      const places = Int32Array.from(elements, (_, at) => at);
      const expand = { ...node, op: "Expand", shape } as const;
      const index: Tensor = { dtype: "int32", shape: from, data: places };
      const [spread] = evaluate(expand, [index], [shape], () => {}) ?? [];
      return Array.from((spread?.data ?? []) as Int32Array, (at) => elements[at] ?? 0);
    });
    const data = Uint8Array.from(a ?? [], (left, at) => {
      const right = b?.[at] ?? 0;
      const result = compareDims(node.op as keyof typeof comparisons, left, right);
      if (result !== undefined) return Number(result);
      const name = typeof left === "string" ? left : right;
      throw new Refusal(
        `${node.op} of the size "${name}", unknown at import; ` +
          `fix it when loading: load(bytes, { dims: { ${name}: 1 } })`,
      );
    });
    this.setConstant(node.outputs[0] ?? "", { dtype: "bool", shape, data });
    return true;
  }

  /** Make sure that input `name` is a value of the graph and of a dtype that `node` takes. */
  #keep(node: Node, name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.kind === "range")
      throw new Refusal(`input "${name}" counts up to a size; only Gather of a table takes it`);
    if (entry?.kind === "sizes") {
      throw new Refusal(`input "${name}" is a list of sizes; only Reshape takes one at run time`);
    }
    const dtype = this.dtypeOf(name);
    if (!takes(node.op, dtype)) {
      throw new Refusal(`input "${name}" has dtype ${dtype}, which this op does not run on`);
    }
    if (entry?.kind === "constant" && !this.builder.constants.has(name)) {
      this.builder.constant(name, entry.tensor);
    }
  }

  /** What moves elements keeps their quantization, where one pair serves the whole tensor. */
  #typeOf(node: Node): { dtype?: DType; quant?: QParams } {
    const values = node.inputs.map((name) => this.builder.value(name));
    const quants = values.map(({ quant }) => quant);
    const carrier = values[carrierOf(node)];
    const typeOf = ({ dtype }: Value) => (dtype === "float16" ? "float32" : dtype);
    if (isMovement(node) && values.some((value) => typeOf(value) !== typeOf(values[0] ?? value))) {
      throw new Refusal(`inputs of dtypes ${values.map(({ dtype }) => dtype).join(" and ")}`);
    }
    if (quants.every((quant) => quant === undefined)) return {};
    if (OWN_TYPE.has(node.op)) return {};
    if (node.op === "Gather" && carrier?.quant && carrier.quant.axis === undefined) {
      return { quant: carrier.quant };
    }
    const [first] = quants;
    const isShared = first && quants.every((quant) => quant && sameQuant(quant, first));
    if (!isShared || first.axis !== undefined || node.op === "Pad") {
      throw new Refusal("quantized inputs must share one scale and zero point per tensor here");
    }
    return { quant: first };
  }

  #checkShape(node: Node, shape: readonly Dim[]): void {
    const { rank, dimSize } = this.limits;
    const fits = (dim: Dim) =>
      typeof dim === "string" || (Number.isInteger(dim) && dim >= 0 && dim <= dimSize);
    if (shape.length <= rank && shape.every(fits)) return;
    throw damaged(
      `${node.op} "${node.name}": its output must have at most ${rank} axes of 0 … ${dimSize}; ` +
        `got ${formatShape(shape)}`,
    );
  }
}

/** Whether a comparison of two sizes holds; undefined where that hangs on a size that is not known, of which
 *  only this is sure: it is not negative. */
function compareDims(op: keyof typeof comparisons, a: Dim, b: Dim): boolean | undefined {
  const holds = comparisons[op];
  if (typeof a === "number" && typeof b === "number") return holds(a, b);
  if (a === b) return holds(0, 0);
  if (typeof a === "string" && typeof b === "number" && b < 0) return holds(0, b);
  if (typeof b === "string" && typeof a === "number" && a < 0) return holds(a, 0);
  return undefined;
}

function numbersOf(entry: Entry | undefined): number[] {
  if (entry?.kind !== "constant") return [];
  return Array.from(entry.tensor.data as ArrayLike<number | bigint>, Number);
}

export function sameQuant(a: QParams, b: QParams): boolean {
  const same = (x: ArrayLike<number>, y: ArrayLike<number>) =>
    x.length === y.length && Array.from(x).every((value, index) => value === y[index]);
  return (
    a.dtype === b.dtype &&
    a.axis === b.axis &&
    a.blockSize === b.blockSize &&
    a.qmin === b.qmin &&
    a.qmax === b.qmax &&
    same(a.scale, b.scale) &&
    same(a.zeroPoint, b.zeroPoint)
  );
}
