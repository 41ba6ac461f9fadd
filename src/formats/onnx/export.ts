// Graph → ONNX. Float nodes are written as they are. Where a value is quantized, the op is written in
// float between DequantizeLinear and QuantizeLinear (numerics section 12), which any runtime can run and
// many fuse back into integer kernels.
//
// The result of the DequantizeLinear has the value's own name, so consumers and re-import keep it; q is
// `<value>_q`, its scale and zero point `<value>_s` and `<value>_z`, the float result before it `<value>_f`. Names are
// most of a small file: nodes that only stand around an op have none, and long names are cut. A quantized output
// of the graph leaves it as q, as in a session: there q has the name, and what is dequantized is `<value>_r`.

import { UnsupportedError } from "../../errors.ts";
import { clampOf } from "../../graph/clamp.ts";
import { valueOf, type Graph } from "../../graph/graph.ts";
import type { ChannelClamp, Node, NodeOf, Op } from "../../graph/node.ts";
import { paramsShape, rangeOf, type QParams } from "../../graph/value.ts";
import { allocate } from "../../tensor/dtype.ts";
import { clamp, fl, rint } from "../../tensor/rounding.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { codeOf, Draft, int } from "./draft.ts";
import { exportDynamicProduct, exportDynamicQuantize } from "./exportDynamic.ts";
import { boundsLeft, exportClamp } from "./exportClamp.ts";
import { exportConstant } from "./exportConstants.ts";
import { clip, exportNode } from "./exportNode.ts";
import { exportDynamicLstm } from "./exportRecurrent.ts";
import { Sizes } from "./exportSizes.ts";
import type { ValueInfoProto } from "./proto.ts";
import { shareConstants } from "./shareConstants.ts";
import { writeModel } from "./write.ts";

export interface ExportOptions {
  /** Default 13, the oldest with per-channel QuantizeLinear, or the first that has every op. */
  readonly opset?: 13 | 17 | 21;
  readonly producer?: string;
  readonly producerVersion?: string;
}

/** IR version that belongs to each opset. */
const irVersions = { 13: 7, 17: 8, 21: 10 } as const;

/**
 * The bytes of `graph` as an ONNX model; quantized values as QDQ pairs, reduced ranges unchanged.
 * Throws UnsupportedError with every node that ONNX cannot say.
 */
export function exportOnnx(source: Graph, options: ExportOptions = {}): Uint8Array<ArrayBuffer> {
  const graph = shareConstants(source);
  const opset = options.opset ?? leastOpset(graph);
  const draft = new Draft(opset);
  for (const name of graph.values.keys()) draft.names.take(name);
  for (const { name } of graph.nodes) draft.nodeNames.take(name);
  const exporter = new Exporter(graph, draft);
  for (const [name, tensor] of graph.constants) exporter.constant(name, tensor);
  for (const node of graph.nodes) exporter.node(node);
  const info = (name: string, isInput: boolean): ValueInfoProto => {
    const { dtype, shape, quant } = valueOf(graph, name);
    if (quant && isInput) draft.refuse({ op: "input", name }, "a quantized graph input");
    return { name, elemType: codeOf[dtype], shape, offset: 0 };
  };
  const inputs = graph.inputs.map((name) => info(name, true));
  const outputs = graph.outputs.map((name) => info(name, false));
  if (draft.offenders.length > 0) {
    throw new UnsupportedError(
      "export",
      draft.offenders,
      "Change the graph, or save it otherwise.",
    );
  }
  const { nodes, initializers } = draft;
  return writeModel({
    irVersion: irVersions[opset],
    opsets: new Map([
      ["", opset],
      ...(nodes.some(({ domain }) => domain !== "") ? ([["com.microsoft", 1]] as const) : []),
    ]),
    producerName: options.producer ?? "webgpu-quant",
    producerVersion: options.producerVersion ?? "",
    graph: { name: graph.name, nodes, initializers, sparse: 0, inputs, outputs },
  });
}

/** The oldest opset that has every op and type of `graph`. HardSwish could be spelled out before 14, but would not come
 *  back as one integer op. */
function leastOpset({ nodes, values }: Graph): 13 | 17 | 21 {
  if ([...values.values()].some(({ quant }) => quant && isNew(quant))) return 21;
  if (nodes.some(({ op }) => op === "Gelu")) return 21;
  const isOf17 = (node: Node) =>
    node.op === "HardSwish" ||
    node.op === "LayerNormalization" ||
    ((node.op === "LSTM" || node.op === "GRU") && node.layout === 1);
  return nodes.some(isOf17) ? 17 : 13;
}

/** Ops that read q itself, or plain integers. */
const READ_Q = new Set<Op>([
  "Dequantize",
  "Cast",
  "ConvInteger",
  "MatMulInteger",
  "MatMulIntegerToFloat",
]);

class Exporter {
  #graph: Graph;
  #draft: Draft;
  #sizes: Sizes;
  /** Values that something reads as float although they are quantized. */
  #readAsFloat: Set<string>;
  /** Values that integer ops read. */
  #integerRead: Set<string>;
  #stored = new Map<string, string>();
  #matrices = new Map<string, Tensor>();
  /** Float values that have not the name of the value they belong to. */
  #reals = new Map<string, string>();

  constructor(graph: Graph, draft: Draft) {
    this.#graph = graph;
    this.#draft = draft;
    this.#sizes = new Sizes(draft, graph);
    const readers = graph.nodes.flatMap((node) => (READ_Q.has(node.op) ? [] : floatInputs(node)));
    this.#readAsFloat = new Set(readers);
    const integer = graph.nodes.filter(({ outputs }) => graph.values.get(outputs[0] ?? "")?.quant);
    this.#integerRead = new Set(integer.flatMap(({ inputs }) => inputs));
    for (const name of graph.outputs) {
      if (this.#quantOf(name) === undefined) continue;
      this.#stored.set(name, name);
      this.#reals.set(name, draft.names.fresh(`${name}_r`));
    }
  }

  constant(name: string, tensor: Tensor): void {
    const { quant } = valueOf(this.#graph, name);
    if (this.#isTurned(name)) return;
    if (tensor.dtype === "float16") {
      const stored = this.#draft.names.fresh(`${name}_float16`);
      this.#draft.initializer(stored, tensor);
      return this.#draft.node("Cast", "", [stored], [name], { to: int(codeOf.float32) });
    }
    if (quant === undefined || !this.#isDequantized(name))
      return exportConstant(this.#draft, name, tensor, this.#matrices);
    // What integer ops read keeps its name for q: that is how a reader calls it again.
    if (this.#integerRead.has(name) && !this.#stored.has(name)) {
      this.#stored.set(name, this.#draft.names.cut(name));
      this.#reals.set(name, this.#draft.names.fresh(`${name}_r`));
    }
    this.#draft.initializer(this.#storedName(name), tensor);
    this.#dequantize(name, quant);
  }

  /** Whether constant `name` is needed under a DequantizeLinear: dynamic products read its q. */
  #isDequantized(name: string): boolean {
    return this.#readAsFloat.has(name) || this.#graph.outputs.includes(name);
  }

  /** Whether dynamic LSTMs alone read constant `name`: their file holds it in another order. */
  #isTurned(name: string): boolean {
    const { nodes, outputs } = this.#graph;
    const readers = nodes.filter(({ inputs }) => inputs.includes(name));
    return (
      readers.length > 0 &&
      !outputs.includes(name) &&
      readers.every((node) => !floatInputs(node).includes(name))
    );
  }

  node(node: Node): void {
    const draft = this.#draft;
    const input = node.inputs[0] ?? "";
    const output = node.outputs[0] ?? "";
    if (node.op === "Quantize") {
      const quant = this.#quantOf(output) ?? draft.refuse(node, "its output has no scale");
      if (quant) this.#quantize(input, output, quant, node.name);
      return;
    }
    if (node.op === "Dequantize") {
      const quant = this.#quantOf(input) ?? draft.refuse(node, "its input has no scale");
      if (!quant) return;
      const inputs = [this.#storedName(input), ...this.#params(input, quant)];
      return draft.node("DequantizeLinear", node.name, inputs, [output], axisOf(quant));
    }
    if (node.op === "DynamicQuantizeLinear") return exportDynamicQuantize(draft, this.#graph, node);
    if (isDynamicLstm(node)) return exportDynamicLstm(draft, this.#graph, node);
    if (node.op === "FakeQuantize") return this.#fakeQuantize(node);
    if (node.op === "Cast") return this.#cast(node);
    const results = node.outputs.map((name) =>
      this.#quantOf(name) ? draft.names.fresh(`${name}_f`) : name,
    );
    const clamp = boundsLeft(fusedClamp(node), this.#quantOf(output));
    if (clamp.low === undefined && clamp.high === undefined) this.#float(node, results);
    else {
      const open = draft.names.fresh(`${output}_u`);
      this.#float(node, [open]);
      const { shape } = valueOf(this.#graph, output);
      exportClamp(draft, node, clamp, { from: open, to: results[0] ?? "", rank: shape.length });
    }
    node.outputs.forEach((name, index) => {
      const quant = this.#quantOf(name);
      if (quant) this.#quantize(results[index] ?? "", name, quant);
    });
  }

  #float(node: Node, outputs: readonly string[]): void {
    const shapes = new Map(node.inputs.map((name) => [this.#real(name), name]));
    const inputs = node.inputs.map((name) => this.#real(name));
    if (node.op === "MatMulIntegerToFloat") {
      return exportDynamicProduct(this.#draft, this.#graph, node, outputs[0] ?? "");
    }
    const shapeOf = (name: string) => valueOf(this.#graph, shapes.get(name) ?? name).shape;
    const first = node.inputs[0];
    const type = first === undefined ? undefined : valueOf(this.#graph, first);
    const dtype = type === undefined || type.quant ? "float32" : type.dtype;
    const context = { sizes: this.#sizes, shapeOf };
    exportNode(this.#draft, { ...node, inputs }, outputs, context, dtype);
  }

  /** Where the float meaning of value `name` is. */
  #real(name: string): string {
    return this.#reals.get(name) ?? name;
  }

  /** Stored elements in another type. Bytes that only mean something else are the same bytes. */
  #cast(node: NodeOf<"Cast">): void {
    const [input = "", output = ""] = [node.inputs[0], node.outputs[0]];
    const [from, to] = [valueOf(this.#graph, input), valueOf(this.#graph, output)];
    const source = this.#storedName(input);
    const isPort = this.#graph.outputs.includes(output);
    if (from.dtype === to.dtype && to.quant && !isPort) this.#stored.set(output, source);
    else {
      const context = { sizes: this.#sizes, shapeOf: () => from.shape };
      exportNode(this.#draft, { ...node, inputs: [source] }, [output], context);
    }
    if (to.quant) this.#dequantize(output, to.quant);
  }

  #quantOf(name: string): QParams | undefined {
    return valueOf(this.#graph, name).quant;
  }

  /** Where q of value `name` is: under its own name where only DequantizeLinear reads it. */
  #storedName(name: string): string {
    const known = this.#stored.get(name);
    if (known !== undefined) return known;
    if (!this.#readAsFloat.has(name) || this.#quantOf(name) === undefined) return name;
    const stored = this.#draft.names.fresh(`${name}_q`);
    this.#stored.set(name, stored);
    return stored;
  }

  #quantize(from: string, to: string, quant: QParams, nodeName?: string): void {
    const name = nodeName ?? "";
    const inputs = [this.#narrowed(from, to, quant), ...this.#params(to, quant)];
    if (quant.dtype === "int32") {
      return this.#draft.refuse({ op: "QuantizeLinear", name }, "int32 occurs on constants alone");
    }
    this.#draft.node("QuantizeLinear", name, inputs, [this.#storedName(to)], axisOf(quant));
    this.#dequantize(to, quant);
  }

  /** `from` cut to a range of four bits or so, which lies in bytes: QuantizeLinear would go on to those of its type.
   *  Seven bits are a reduced range, which is written as it is. */
  #narrowed(from: string, to: string, quant: QParams): string {
    const [qmin, qmax] = rangeOf(quant);
    if (quant.dtype === "int32" || quant.axis !== undefined || qmax - qmin >= 127) return from;
    const [scale = 1] = quant.scale;
    const real = (q: number) => fl((q - (quant.zeroPoint[0] ?? 0)) * scale);
    const cut = this.#draft.names.fresh(`${to}_cut`);
    clip(this.#draft, to, from, cut, real(qmin), real(qmax));
    return cut;
  }

  /** q → the value's own name, where something reads it as float. */
  #dequantize(name: string, quant: QParams): void {
    if (!this.#readAsFloat.has(name)) return;
    const inputs = [this.#storedName(name), ...this.#params(name, quant)];
    this.#draft.node("DequantizeLinear", "", inputs, [this.#real(name)], axisOf(quant));
  }

  /** Initializers of scale and zero point, of one node: scalars per tensor, lists per axis, none for int32 zeros. */
  #params(name: string, quant: QParams): string[] {
    const { dtype, scale } = quant;
    const shape = paramsShape(quant, valueOf(this.#graph, name).shape as number[]);
    if (isNew(quant) && this.#draft.opset < 21) {
      const problem = "int4 and blocks need opset 21";
      this.#draft.refuse({ op: "DequantizeLinear", name }, problem);
    }
    const scales = this.#draft.shared(`${name}_s`, { dtype: "float32", shape, data: scale });
    if (dtype === "int32") {
      // The standard has no zero point for int32.
      if (quant.zeroPoint.every((zero) => zero === 0)) return [scales];
      const value = { op: "DequantizeLinear", name };
      this.#draft.refuse(value, "int32 values must have zero point 0");
    }
    // Zeros of four bits need no bytes; int8 ones are written, since ONNX Runtime's passes want them there.
    if (/int4/.test(dtype) && quant.zeroPoint.every((zero) => zero === 0)) return [scales];
    const zeros = Array.from(
      scale,
      (_, index) => quant.zeroPoint[index] ?? quant.zeroPoint[0] ?? 0,
    );
    const data = allocate(dtype, zeros.length);
    data.set(zeros);
    return [scales, this.#draft.own(`${name}_z`, { dtype, shape, data } as Tensor)];
  }

  #fakeQuantize(node: NodeOf<"FakeQuantize">): void {
    const draft = this.#draft;
    const [input = "", scale = "", zeroPoint = ""] = node.inputs;
    const [output = ""] = node.outputs;
    const [scales, zeros] = [scale, zeroPoint].map(
      (name) => this.#graph.constants.get(name)?.data as Float32Array | undefined,
    );
    if (!scales || !zeros) {
      draft.refuse(node, "its scale and zero point are not constants; convert the model first");
      return;
    }
    const quant: QParams = {
      dtype: node.qmin < 0 ? "int8" : "uint8",
      scale: scales,
      zeroPoint: Int32Array.from(zeros, (z) => clamp(rint(z), node.qmin, node.qmax)),
      ...(node.axis === undefined ? {} : { axis: node.axis }),
      qmin: node.qmin,
      qmax: node.qmax,
    };
    const q = draft.names.fresh(`${output}_q`);
    const from = this.#narrowed(input, output, quant);
    draft.node(
      "QuantizeLinear",
      node.name,
      [from, ...this.#params(output, quant)],
      [q],
      axisOf(quant),
    );
    draft.node(
      "DequantizeLinear",
      "",
      [q, ...this.#params(output, quant)],
      [output],
      axisOf(quant),
    );
  }
}

/** An LSTM whose state becomes bytes reads q of W and R. */
const isDynamicLstm = (node: Node): node is NodeOf<"LSTM"> =>
  node.op === "LSTM" && node.dynamic !== undefined;

const floatInputs = (node: Node): readonly string[] =>
  isDynamicLstm(node) ? node.inputs.filter((_, index) => index !== 1 && index !== 2) : node.inputs;

function axisOf({ axis, blockSize }: QParams) {
  const blocks = blockSize === undefined ? {} : { block_size: int(blockSize) };
  return axis === undefined ? {} : { axis: int(axis), ...blocks };
}

/** Parameters that ONNX has had since opset 21. */
function isNew({ dtype, blockSize }: QParams): boolean {
  return blockSize !== undefined || dtype === "int4" || dtype === "uint4";
}

/** The fused activation of a node: Clip has bounds of its own and is written as itself. */
function fusedClamp(node: Node): ChannelClamp {
  return node.op === "Clip" || !("low" in node || "high" in node)
    ? {}
    : clampOf<ChannelClamp>(node);
}
