// Dynamic products in the standard's words: DynamicQuantizeLinear → MatMulInteger → Cast → Mul → Add, as
// onnxruntime's dynamic quantizer writes them. Its one form: a scale a tensor, all of uint8, ONNX's rule; a graph
// with PyTorch's rule is written so too and computes ONNX's elsewhere (docs/decisions/0010).

import { consumersOf, valueOf, type Graph } from "../../graph/graph.ts";
import type { NodeOf } from "../../graph/node.ts";
import { float32, tensor, type Tensor } from "../../tensor/tensor.ts";
import { codeOf, int, type Draft } from "./draft.ts";

export function exportDynamicQuantize(
  draft: Draft,
  graph: Graph,
  node: NodeOf<"DynamicQuantizeLinear">,
): void {
  if (node.granularity === "perToken") {
    const wayOut = 'one scale a row; quantize with granularity "perTensor" for files';
    return draft.refuse(node, wayOut);
  }
  if (node.dtype === "int8") {
    // The same q − zeroPoint in uint8, where nothing else sees the bytes.
    const readers = consumersOf(graph);
    const [q = "", , zero = ""] = node.outputs;
    const isSeen = [q, zero].some(
      (name) =>
        graph.outputs.includes(name) ||
        (readers.get(name) ?? []).some(({ op }) => op !== "MatMulIntegerToFloat"),
    );
    if (isSeen) return draft.refuse(node, "int8 that other nodes read; use dtype uint8");
  }
  draft.node("DynamicQuantizeLinear", node.name, node.inputs, node.outputs);
}

export function exportDynamicProduct(
  draft: Draft,
  graph: Graph,
  node: NodeOf<"MatMulIntegerToFloat">,
  output: string,
): void {
  const [q = "", weight = "", scale = "", zeroPoint = "", bias] = node.inputs;
  const { dtype, quant } = valueOf(graph, weight);
  if (!quant) return draft.refuse(node, "its weight has no scale");
  if (valueOf(graph, scale).shape.length > 0) {
    return draft.refuse(node, 'one scale a row; quantize with granularity "perTensor" for files');
  }
  const shape = quant.axis === undefined ? [] : [quant.scale.length];
  const scales = draft.shared(`${weight}_s`, float32(shape, quant.scale));
  const isSame = quant.zeroPoint.every((zero) => zero === quant.zeroPoint[0]);
  const zeros = isSame ? quant.zeroPoint.slice(0, 1) : quant.zeroPoint;
  const codes = dtype === "int8" ? Int8Array.from(zeros) : Uint8Array.from(zeros);
  const zero = tensor(dtype, isSame ? [] : shape, codes as never) as Tensor;
  const zeroName = draft.own(`${weight}_z`, zero);
  const value = (what: string) => draft.names.fresh(`${output}_${what}`);
  const [acc, real, factor] = [value("integer"), value("cast"), value("scale")];
  draft.node("MatMulInteger", node.name, [q, weight, zeroPoint, zeroName], [acc]);
  draft.node("Cast", "", [acc], [real], { to: int(codeOf.float32) });
  draft.node("Mul", "", [scale, scales], [factor]);
  const scaled = bias === undefined ? output : value("scaled");
  draft.node("Mul", "", [real, factor], [scaled]);
  if (bias !== undefined) draft.node("Add", "", [scaled, bias], [output]);
}
