// What lowering an op needs: the graph, the plan under construction, and where each value lies.

import { valueOf } from "../../graph/graph.ts";
import type { BoundGraph } from "../../graph/bind.ts";
import type { Clamp, Node } from "../../graph/node.ts";
import { clampBounds } from "../../graph/arithmetic.ts";
import { rangeOf, type QParams } from "../../graph/value.ts";
import { UnsupportedError } from "../../errors.ts";
import { fitsWord, type DType } from "../../tensor/dtype.ts";
import { fl } from "../../tensor/rounding.ts";
import { elementsOf, type Tensor } from "../../tensor/tensor.ts";
import type { PlanBuilder, Ref } from "../builder.ts";
import type { Choices, TileChoice } from "../choices.ts";
import type { ConstantPool } from "../constants.ts";
import { tileFor, type ProductSizes, type Target } from "../target.ts";
import { layoutOf, packLayout, type Layout } from "../layout.ts";

/** Invocations of a workgroup: the default of every shader's WORKGROUP override. */
export const WORKGROUP = 64;

/** The element type of a value, and its parameters where it is quantized. */
export interface Type {
  readonly dtype: DType;
  readonly quant?: QParams | undefined;
}

/** A value and where it lies. int8 and uint8 take a byte an element, uint8 as int8: less 128; float32 and
 *  int32 take four, and so do int64 and bool, which lie as int32. */
export interface Placed {
  readonly name: string;
  readonly dtype: DType;
  readonly ref: Ref;
  readonly layout: Layout;
  readonly quant: QParams | undefined;
}

/** Per-tensor parameters as the kernels see them: zero point and bounds of the stored int8. */
export interface StoredParams {
  readonly scale: number;
  readonly zeroPoint: number;
  /** What is subtracted from q before it is stored: 128 for uint8. */
  readonly shift: number;
}

export function workgroups(invocations: number): number {
  return Math.ceil(invocations / WORKGROUP);
}

/** Fused clamp bounds in float, ±∞ where there is none: a finite bound would make a number of an infinity. */
export function floatBounds({ low, high }: Clamp): { low: number; high: number } {
  return { low: low ?? -Infinity, high: high ?? Infinity };
}

/** Fused clamp bounds of a stored int8 output. */
export function storedBounds({ low, high }: Clamp, quant: QParams): { low: number; high: number } {
  const [qlow, qhigh] = clampBounds(low, high, quant);
  const shift = shiftOf(quant);
  return { low: qlow - shift, high: qhigh - shift };
}

/** What is subtracted from an element before it is stored. */
export function shiftOf({ dtype }: { readonly dtype: DType }): number {
  return dtype === "uint8" ? 128 : 0;
}

/** Whether elements lie four to a word of four bytes. */
export function isBytes({ dtype }: { readonly dtype: DType }): boolean {
  return dtype === "int8" || dtype === "uint8";
}

/** Bytes of a word: four elements. */
export function wordBytes(type: { readonly dtype: DType }): 4 | 16 {
  return isBytes(type) ? 4 : 16;
}

const FLOAT: Type = { dtype: "float32" };

/** Uniforms of docs/quantization.md (2) for the per-tensor output of `node`. */
export function quantizeUniforms(lowering: Lowering, node: Node, out: Placed) {
  const { scale, zeroPoint, shift } = lowering.stored(node, out);
  const [qmin, qmax] = out.quant ? rangeOf(out.quant) : [0, 0];
  return { reciprocal: fl(1 / scale), zeroPoint, low: qmin - shift, high: qmax - shift };
}

/** Least and greatest of so many parts of a value, 0 among them. */
export interface FoundRange {
  readonly ref: Ref;
  readonly parts: number;
}

export class Lowering {
  readonly graph: BoundGraph;
  readonly plan: PlanBuilder;
  readonly target: Target;
  /** What is decided by sizes. */
  readonly choices: Choices;
  readonly #pool: ConstantPool;
  /** Nodes that an earlier one did along with its own work. */
  readonly done = new Set<Node>();
  /** Slots of the observers whose range the observed value's producer keeps. */
  readonly ranges = new Map<Node, Ref>();
  /** Ranges, in parts, of values that are quantized by them and whose producers found them on the way. */
  readonly foundRanges = new Map<string, FoundRange>();
  /** What fake-quantization reads of a scale and a zero point, `of`, while neither changes. */
  readonly steps = new Map<string, { readonly ref: Ref; readonly of: readonly string[] }>();
  /** Graph outputs that their producers write where the caller reads them. */
  readonly direct = new Map<string, Ref>();
  #placed = new Map<string, Placed>();
  #readers = new Map<string, Node[]>();

  constructor(
    graph: BoundGraph,
    plan: PlanBuilder,
    target: Target,
    { choices, pool }: { readonly choices: Choices; readonly pool: ConstantPool },
  ) {
    this.graph = graph;
    this.plan = plan;
    this.target = target;
    this.choices = choices;
    this.#pool = pool;
    for (const node of graph.nodes) {
      for (const name of new Set(node.inputs)) {
        const readers = this.#readers.get(name);
        if (readers) readers.push(node);
        else this.#readers.set(name, [node]);
      }
    }
  }

  /** Drop what was made of values that `node` changed. */
  changed({ inputs, outputs, op }: Node): void {
    if (outputs.length === 0 && op !== "MovingAverageObserve") this.forget(inputs);
  }

  /** Drop what was made of values `names`. */
  forget(names: readonly string[]): void {
    for (const [key, { of }] of this.steps)
      if (of.some((name) => names.includes(name))) this.steps.delete(key);
  }

  /** The nodes that read value `name`, in order. */
  readers(name: string): readonly Node[] {
    return this.#readers.get(name) ?? [];
  }

  /** Whether value `name` is quantized by the range of its own data. */
  isRanged(name: string): boolean {
    return this.readers(name).some(
      (node) => node.op === "DynamicQuantizeLinear" && node.granularity === "perTensor",
    );
  }

  /** Room for the range of value `name`, which its producer finds in `parts`. */
  roomForRange(name: string, parts: number): Ref {
    const ref = this.plan.tensor(parts * 8);
    this.foundRanges.set(name, { ref, parts });
    return ref;
  }

  type(name: string): Type {
    return valueOf(this.graph, name);
  }

  shape(name: string): readonly number[] {
    return valueOf(this.graph, name).shape as readonly number[];
  }

  quant(name: string): QParams | undefined {
    return valueOf(this.graph, name).quant;
  }

  isPerTensor(name: string): boolean {
    return this.quant(name)?.axis === undefined;
  }

  constant(name: string): Tensor | undefined {
    return this.graph.constants.get(name);
  }

  /** A constant that `make` packs, once for all plans of a session: `what` names all that it depends on
   *  but the node. */
  packed(node: Node, what: string, make: () => ArrayBufferView): Ref {
    return this.plan.constant(this.#pool.packed(`${keyOf(node)} ${what}`, make));
  }

  /** What `make` computes of the node's constants, likewise. */
  memo<T>(node: Node, what: string, make: () => T): T {
    return this.#pool.memo(`${keyOf(node)} ${what}`, make);
  }

  /** What `choose` chooses for the bounds: what an override is made of, where sizes decide it. */
  settle<T>(node: Node, what: string, choose: () => T): T {
    return this.choices.settle(`${keyOf(node)} ${what}`, choose);
  }

  /** How the product of `node` is cut, and the rows that was chosen for. */
  tileFor(node: Node, sizes: ProductSizes): TileChoice {
    return this.choices.tile(keyOf(node), sizes, () => tileFor(this.target, sizes));
  }

  /** Input `index` of `node`; a missing one is a bug of the pass that made the node. */
  inputName(node: Node, index: number): string {
    const name = node.inputs[index];
    if (name === undefined)
      throw new Error(`${node.op} "${node.name}": no input ${index}; please report.`);
    return name;
  }

  /** Where input `index` lies; constants are packed on first use. */
  input(node: Node, index: number): Placed {
    const name = this.inputName(node, index);
    return this.#placed.get(name) ?? this.placeVariable(name) ?? this.placeConstant(name);
  }

  /** The place of `name` where it is a variable. */
  placeVariable(name: string): Placed | undefined {
    const data = this.graph.variables?.get(name);
    if (!data) return undefined;
    const { dtype, shape } = data;
    const kind = dtype === "float32" ? "float32" : "int32";
    const packed = packLayout(layoutOf(shape), elementsOf(data), kind);
    return this.place(name, this.plan.variable({ name, dtype, shape }, packed));
  }

  /** Pack constant `name` into its layout; a value that is none is a bug of the caller. */
  placeConstant(name: string): Placed {
    const constant = this.constant(name);
    if (!constant) throw new Error(`lower: "${name}" has no place; please report.`);
    return this.place(name, this.packConstant(name, constant));
  }

  /** `constant`, packed under another shape than the one that value `name` has everywhere else. */
  constantAs(name: string, constant: Tensor): Placed {
    const { dtype, quant } = this.type(name);
    const ref = this.packConstant(name, constant);
    return { name, ref, layout: layoutOf(constant.shape), dtype, quant };
  }

  /** Make room for output `index` and remember its place. */
  output(node: Node, index = 0): Placed {
    const name = node.outputs[index];
    if (name === undefined)
      throw new Error(`${node.op} "${node.name}": no output ${index}; please report.`);
    return this.place(name, this.direct.get(name) ?? this.room(name));
  }

  /** Memory for value `name`. */
  room(name: string): Ref {
    return this.plan.tensor(layoutOf(this.shape(name)).words * wordBytes(this.type(name)));
  }

  /** Remember that value `name` lies at `ref`. */
  place(name: string, ref: Ref): Placed {
    const { dtype, quant } = this.type(name);
    const placed = { name, ref, layout: layoutOf(this.shape(name)), dtype, quant };
    this.#placed.set(name, placed);
    return placed;
  }

  placed(name: string): Placed | undefined {
    return this.#placed.get(name);
  }

  /** A temporary with the layout of `shape`, of float32 or of another `type`. */
  scratch(shape: readonly number[], type: Type = FLOAT): Placed {
    const layout = layoutOf(shape);
    const { dtype, quant } = type;
    return {
      name: "",
      ref: this.plan.tensor(layout.words * wordBytes(type)),
      layout,
      dtype,
      quant,
    };
  }

  /** Parameters of a per-tensor quantized value. Bytes that stand for themselves have scale 1. */
  stored(node: Node, placed: Omit<Placed, "ref" | "layout">): StoredParams {
    const { quant } = placed;
    if (quant === undefined && isBytes(placed)) {
      return { scale: 1, zeroPoint: -shiftOf(placed), shift: shiftOf(placed) };
    }
    if (quant === undefined || quant.axis !== undefined || quant.scale.length !== 1) {
      throw this.unsupported(
        node,
        `"${placed.name}" must be quantized per tensor to run in integers`,
      );
    }
    const shift = shiftOf(quant);
    return { scale: quant.scale[0] ?? 1, zeroPoint: (quant.zeroPoint[0] ?? 0) - shift, shift };
  }

  unsupported(node: Node, problem: string): UnsupportedError {
    return new UnsupportedError(
      "compile",
      [{ op: node.op, node: node.name, problem }],
      "Keep the node float with an override, or change the model.",
    );
  }

  private packConstant(name: string, constant: Tensor): Ref {
    const { dtype, shape } = constant;
    const kind = isBytes(constant) ? "int8" : dtype === "float32" ? "float32" : "int32";
    const packed = this.#pool.packed(`constant ${name} ${shape.join()}`, () => {
      checkWords(name, constant);
      return packLayout(layoutOf(shape), elementsOf(constant), kind, shiftOf(constant));
    });
    return this.plan.constant(packed);
  }
}

/** Throws UnsupportedError where `constant` does not fit the 32 bits that int64 runs in. */
function checkWords(name: string, { data }: Tensor): void {
  const at = data instanceof BigInt64Array ? data.findIndex((value) => !fitsWord(value)) : -1;
  if (at < 0) return;
  const problem = `int64 runs in 32 bits; "${name}" holds ${data[at]} at index ${at}`;
  const wayOut = "Clamp the constant before export.";
  throw new UnsupportedError("compile", [{ op: "constant", node: name, problem }], wayOut);
}

/** A name that no other node has. */
function keyOf({ name, outputs }: Node): string {
  return outputs[0] ?? name;
}
