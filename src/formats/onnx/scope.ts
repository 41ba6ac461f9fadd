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
import { sameQuant, type Dim, type QParams, type Value } from "../../graph/value.ts";
import {
  compareDims,
  numbersOf,
  type Counted,
  type Entry,
  type Whole,
  type Wide,
} from "./entries.ts";
import { comparisons, evaluate, isMovement } from "./evaluate.ts";
import { computeCounted, wholeTensor } from "./counted.ts";
import type { OnnxLimits } from "./limits.ts";
import { Names } from "./names.ts";
import { damaged } from "./wire.ts";

/** Something this library cannot import: the importer collects these and names them all at once. */
export class Refusal extends Error {}

/** Movements that leave positions as they are, but for their shape. */
const KEEPS_RANGE = new Set<string>(
  "Identity Flatten Reshape Squeeze Unsqueeze Transpose".split(" "),
);

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
  #wide = new Map<string, Wide>();
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

  /** The 16-bit type that `name` has in the file, where it has one. */
  wideOf(name: string): Wide | undefined {
    return this.#wide.get(name);
  }

  setWide(name: string, type: Wide): void {
    this.#wide.set(name, type);
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
  setSizes(
    name: string,
    shape: readonly number[],
    sizes: readonly Dim[],
    dtype: Whole = "int64",
  ): void {
    if (!sizes.every((size) => typeof size === "number")) {
      this.#entries.set(name, { kind: "sizes", dtype, shape, sizes });
    } else this.setConstant(name, wholeTensor(dtype, shape, sizes));
  }

  /** Whole numbers from `start` on. */
  setRange(name: string, start: Dim, shape: readonly Dim[], dtype: Whole = "int64"): void {
    this.#entries.set(name, { kind: "range", dtype, start, shape });
  }

  /** `name` is `other`, sizes or a range, as elements of `dtype`. */
  #castWhole(name: string, other: string, dtype: Whole): void {
    const entry = this.#entries.get(other);
    if (entry?.kind === "sizes" || entry?.kind === "range")
      this.#entries.set(name, { ...entry, dtype });
  }

  /** `name` stands for what `other` stands for. */
  alias(name: string, other: string): void {
    const entry = this.#entries.get(other);
    const wide = this.#wide.get(other);
    if (entry) this.#entries.set(name, entry);
    if (wide) this.#wide.set(name, wide);
  }

  /** Whether the limit lets so many elements more be computed at import. */
  affords(elements: number): boolean {
    return this.#folded + elements <= this.limits.foldedElements;
  }

  /** Refuse more folding than the limit allows, before anything is allocated. */
  charge(elements: number): void {
    if (this.affords(elements)) {
      this.#folded += elements;
      return;
    }
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
    return entry === undefined ? "int64" : entry.kind === "value" ? entry.value.dtype : entry.dtype;
  }

  /** Evaluate `node` where its inputs are known, else add it to the graph. `reads16`: it takes integers of 16 bits. */
  add(node: Node, type: { dtype?: DType; quant?: QParams } = {}, reads16 = false): void {
    const shapes = inferShapes(
      node,
      node.inputs.map((name) => this.shapeOf(name)),
    );
    for (const shape of shapes) this.#checkShape(node, shape);
    const entries = node.inputs.map((name) => this.#entries.get(name));
    if (!reads16) this.#carryWide(node);
    if (this.#count(node, shapes[0] ?? [])) return;
    const isKnown = entries.every((entry) => entry !== undefined && entry.kind !== "value");
    const isOpen = shapes.some((shape) => shape.some((dim) => typeof dim === "string"));
    if (isKnown && !isOpen && this.#fold(node, shapes)) return;
    for (const name of node.inputs) this.#keep(node, name);
    this.emit(node, { ...this.#typeOf(node), ...type });
  }

  /** What moves elements of 16 bits gives such; anything else would compute on another type than it says. */
  #carryWide(node: Node): void {
    const wide = node.inputs.flatMap((name) => this.#wide.get(name) ?? []);
    const [type] = wide;
    if (type === undefined || (node.op === "Cast" && node.to !== "bool")) return;
    const isMoved = isMovement(node) && wide.length === node.inputs.length;
    if (!isMoved || wide.some((other) => other !== type))
      throw new Refusal(`dtype ${type}: only QuantizeLinear and DequantizeLinear read it`);
    for (const name of node.outputs) this.#wide.set(name, type);
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
      // What would be too large as a constant is computed where it is needed.
      if (!this.affords(elements) && takes(node.op, this.dtypeOf(node.inputs[0] ?? "")))
        return false;
      const results = evaluate(node, tensors, shapes as number[][], () => this.charge(elements));
      results?.forEach((tensor, index) => this.setConstant(node.outputs[index] ?? "", tensor));
      return results !== undefined;
    }
    if (node.op in comparisons) return this.#compareSizes(node, shapes);
    const isMoved = isMovement(node) || (node.op === "Where" && entries[0]?.kind === "constant");
    if (node.op === "Cast") {
      const isWhole = node.to === "int64" || node.to === "int32";
      if (isWhole) this.#castWhole(node.outputs[0] ?? "", node.inputs[0] ?? "", node.to as Whole);
      return isWhole; // a size as another type is computed at run time
    }
    const dtypes = node.inputs.map((name) => this.dtypeOf(name)).slice(carrierOf(node));
    if (isMoved && dtypes.some((dtype) => dtype !== dtypes[0]))
      throw new Refusal(`inputs of dtypes ${dtypes.join(" and ")}`);
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
      this.setSizes(node.outputs[index] ?? "", shape, sizes, dtypes[0] as Whole);
    });
    return moved !== undefined;
  }

  /** Positions up to a size: cut out of a constant that holds 0, 1, 2, …, or given another shape. */
  #count(node: Node, shape: readonly Dim[]): boolean {
    const [name = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const entry = this.#entries.get(name);
    if (entry?.kind === "range") {
      if (node.op === "Cast" && (node.to === "int64" || node.to === "int32")) {
        this.#castWhole(output, name, node.to);
        return true;
      }
      const isLine = shape.filter((size) => size !== 1).length === 1;
      if (!KEEPS_RANGE.has(node.op) || !isLine) return false;
      this.setRange(output, entry.start, shape, entry.dtype);
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
    if (entry?.kind === "range" || entry?.kind === "sizes") this.#compute(name, entry);
    const dtype = this.dtypeOf(name);
    if (!takes(node.op, dtype)) {
      throw new Refusal(`input "${name}" has dtype ${dtype}, which this op does not run on`);
    }
    if (entry?.kind === "constant" && !this.builder.constants.has(name)) {
      this.builder.constant(name, entry.tensor);
    }
  }

  /** Make `name`, sizes or positions up to one, a value that a run computes: docs/formats.md. */
  #compute(name: string, entry: Counted): void {
    computeCounted(name, entry, {
      builder: this.builder,
      fresh: (wanted) => this.names.fresh(wanted),
      freshNode: (wanted) => this.nodeNames.fresh(wanted),
    });
    this.#entries.set(name, { kind: "value", value: this.builder.value(name) });
  }

  /** Make what `name` stands for a value of the graph, where it is sizes or positions. */
  asValue(name: string): void {
    const entry = this.#entries.get(name);
    if (entry?.kind === "range" || entry?.kind === "sizes") this.#compute(name, entry);
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
    if (!isShared || first.axis !== undefined) {
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
