// Filters and biases of layers as evaluation and conversion use them: with their normalization folded in by its
// running statistics, docs/quantization.md (21), and observed again where they have no memory.

import type { Node } from "../../graph/node.ts";
import { paramsOfRange } from "../../graph/qparams.ts";
import type { QParams } from "../../graph/value.ts";
import { fl } from "../../tensor/rounding.ts";
import type { Tensor } from "../../tensor/tensor.ts";
import { foldNorm } from "../fuse.ts";
import { weightRange } from "../qconfig.ts";
import { outputAxis, rangeOfConstant, scalesForBias } from "../weights.ts";
import { floatsOf, wasSeen, type Qat, type Quantizer } from "./model.ts";
import { entriesOf, paramsOf } from "./state.ts";

export interface Folded {
  readonly filter: Tensor<"float32">;
  readonly bias: Float32Array | undefined;
}

/** What is trained of constant `name`, or the constant. */
export function currentOf(qat: Qat, name: string | undefined): Tensor<"float32"> | undefined {
  if (name === undefined) return undefined;
  const tensor = qat.state.get(name) ?? qat.graph.constants.get(name);
  return tensor?.dtype === "float32" ? (tensor as Tensor<"float32">) : undefined;
}

/** Filter and bias of layer `node`, its normalization folded in. */
export function foldedOf(qat: Qat, node: Node): Folded {
  const filter = currentOf(qat, node.inputs[1]);
  if (!filter) throw new Error(`${node.op} "${node.name}": it has no filter; please report.`);
  const bias = currentOf(qat, node.inputs[2])?.data;
  const norm = qat.norms.get(node.name);
  if (!norm) return { filter, bias };
  const floats = (name: string) => floatsOf(qat, name).data;
  const folded = foldNorm(filter, bias, {
    gamma: floats(norm.gamma),
    beta: floats(norm.beta),
    mean: floats(norm.mean),
    variance: floats(norm.variance),
    epsilon: norm.epsilon,
  });
  return { filter: folded.filter, bias: folded.bias.data };
}

/** The state in which `quantizer` knows the range of `filter` and nothing else. */
function observed(quantizer: Quantizer, filter: Tensor<"float32">) {
  const { axis } = quantizer;
  const count = axis === undefined ? undefined : filter.shape[axis];
  return entriesOf(quantizer, rangeOfConstant(filter, axis), count);
}

/** Whether the scale of `quantizer` is not the one that its range gives. */
function isLearned(qat: Qat, quantizer: Quantizer): boolean {
  const { data } = floatsOf(qat, quantizer.range);
  const count = data.length / 2;
  const scales = floatsOf(qat, quantizer.scale).data;
  return scales.some((scale, c) => {
    const chosen = paramsOfRange(quantizer.rule, data[c] ?? NaN, data[count + c] ?? NaN);
    return scale !== fl(chosen.scale);
  });
}

/** `qat` with every weight observed whose range is its own. */
export function observeOwn(qat: Qat): Qat {
  const state = new Map(qat.state);
  for (const node of qat.graph.nodes) {
    const quantizer = qat.weights.get(node.name);
    if (!quantizer || quantizer.averagingConstant !== undefined) continue;
    if (isLearned(qat, quantizer)) continue;
    for (const [name, tensor] of observed(quantizer, foldedOf(qat, node).filter))
      state.set(name, tensor);
  }
  return { ...qat, state };
}

/** How the weight of layer `node` is quantized; where its bias would not fit int32 the scale is raised, as the static
 *  recipe does: docs/quantization.md, section 7. */
export function weightParams(
  qat: Qat,
  node: Node,
  quantizer: Quantizer,
  { filter, bias }: Folded,
  inputScale: number,
): QParams {
  // A moving average that saw nothing yet would begin with what is there.
  const state = new Map([...qat.state, ...observed(quantizer, filter)]);
  const {
    qmin: _qmin,
    qmax: _qmax,
    ...params
  } = paramsOf(wasSeen(qat, quantizer) ? qat : { ...qat, state }, quantizer);
  const quant: QParams = { ...params, ...weightRange(quantizer.spec) };
  const layer = { weight: filter, axis: outputAxis(node), bias, inputScale };
  return { ...quant, scale: scalesForBias(quant.scale, layer) };
}

/** `qat` with the variables `values` of a training under way. */
export function stateDuring(qat: Qat, values: ReadonlyMap<string, Tensor>): Qat {
  const known = [...values].filter(([name]) => qat.state.has(name));
  return { ...qat, state: new Map([...qat.state, ...known]) };
}

/** `qat` with what training left: weights whose scale is that of their own range are observed again, since the last
 *  update came after the last look. Learned scales stay. */
export function stateAfter(qat: Qat, trained: ReadonlyMap<string, Tensor>): Qat {
  return observeOwn(stateDuring(qat, trained));
}
