// Batch normalization with parameters that are values, by the batch's statistics or by given ones, and its
// gradient. Channels lie last in all kernels, as in a picture's layout: other ranks are seen as pictures.

import type { BatchNormGrad, BatchNormTraining, UpdateRunning } from "../../graph/gradients.ts";
import type { Node, NodeOf } from "../../graph/node.ts";
import { sizeOf } from "../../tensor/tensor.ts";
import { layoutOf, type Layout } from "../layout.ts";
import { partition, rowsOf } from "./channelRows.ts";
import { floatBounds, workgroups, type Lowering, type Placed } from "./context.ts";
import { emitReshape } from "./movement.ts";

/** Words of lib/batch_norm.wgsl's facts about four channels. */
const FACTS = 5;

/** (B, C, …) as a shape whose layout has the channels last. */
function pictureShape({ logical }: Layout): readonly number[] {
  if (logical.length === 2 || logical.length === 4) return logical;
  return [logical[0] ?? 1, logical[1] ?? 1, sizeOf(logical.slice(2)), 1];
}

/** `x`, its channels last. */
function asPicture(lowering: Lowering, node: Node, x: Placed): Placed {
  if (x.quant) throw lowering.unsupported(node, "batch normalization does not run in integers");
  const shape = pictureShape(x.layout);
  if (shape === x.layout.logical) return x;
  const picture = lowering.scratch(shape);
  emitReshape(lowering, node, x, picture);
  return picture;
}

/** Let `write` write output 0 with its channels last. */
function withPicture(lowering: Lowering, node: Node, write: (out: Placed) => void): void {
  const out = lowering.output(node);
  const shape = pictureShape(out.layout);
  if (shape === out.layout.logical) return write(out);
  const picture = lowering.scratch(shape);
  write(picture);
  emitReshape(lowering, node, picture, out);
}

/** How the sums of the channels of x are shared out. */
function shareOut(lowering: Lowering, node: Node, { layout }: Placed) {
  const sizes = rowsOf(layout);
  if (sizes.rows === 0) throw lowering.unsupported(node, "a channel must have elements");
  return { ...sizes, ...partition(lowering, node, sizes) };
}

/** A constant 1 for every channel: no divisor. */
function ones(lowering: Lowering, channels: number): Placed {
  const one = lowering.scratch([channels]);
  const data = new Float32Array(one.layout.words * 4).fill(1, 0, channels);
  return { ...one, ref: lowering.plan.constant(data) };
}

const scratchWords = (lowering: Lowering, words: number) => lowering.plan.tensor(words * 16);

/** The facts about each channel, from statistics that are there. */
function emitFacts(
  lowering: Lowering,
  node: Node & { readonly epsilon: number },
  parameters: Readonly<Record<"scale" | "bias" | "mean" | "variance" | "divisor", Placed>>,
) {
  const { lastWords: words, last } = parameters.mean.layout;
  const out = scratchWords(lowering, words * FACTS);
  const { scale, bias, mean, variance, divisor } = parameters;
  const buffers = { scale: scale.ref, bias: bias.ref, mean: mean.ref, variance: variance.ref };
  lowering.plan.step("batchNormFactsF32", {
    node: node.name,
    uniforms: { words, last, epsilon: node.epsilon },
    buffers: { ...buffers, divisor: divisor.ref, out },
    groups: workgroups(words),
  });
  return out;
}

export function lowerBatchNormTraining(lowering: Lowering, node: BatchNormTraining): void {
  const x = asPicture(lowering, node, lowering.input(node, 0));
  const { rows, words, last, overrides, tiles, share, splits } = shareOut(lowering, node, x);
  const [scale, bias] = [lowering.input(node, 1), lowering.input(node, 2)];
  const divisor = node.inputs.length > 3 ? lowering.input(node, 3) : ones(lowering, last);
  const parts = scratchWords(lowering, splits * words * 2);
  lowering.plan.step("batchNormMomentsF32", {
    node: node.name,
    overrides,
    uniforms: { rows, words, tiles, share, groups: tiles * splits },
    buffers: { x: x.ref, out: parts },
    groups: tiles * splits,
  });
  const facts = scratchWords(lowering, words * FACTS);
  const [outMean, outVariance] = [lowering.output(node, 1).ref, lowering.output(node, 2).ref];
  const parameters = { scale: scale.ref, bias: bias.ref, divisor: divisor.ref };
  lowering.plan.step("batchNormStatisticsF32", {
    node: node.name,
    overrides,
    uniforms: { words, last, splits, rows, share, tiles, epsilon: node.epsilon },
    buffers: { parts, ...parameters, outMean, outVariance, out: facts },
    groups: tiles,
  });
  withPicture(lowering, node, (out) => {
    const { words: count } = out.layout;
    lowering.plan.step("batchNormF32", {
      node: node.name,
      uniforms: { count, words, ...floatBounds(node) },
      buffers: { x: x.ref, facts, out: out.ref },
      groups: workgroups(count),
    });
  });
}

export function lowerBatchNormGrad(lowering: Lowering, node: BatchNormGrad): void {
  const gradient = asPicture(lowering, node, lowering.input(node, 0)).ref;
  const x = asPicture(lowering, node, lowering.input(node, 1));
  const { rows, words, last, overrides, tiles, share, splits } = shareOut(lowering, node, x);
  const hasDivisor = node.inputs.length > 6;
  const facts = emitFacts(lowering, node, {
    scale: lowering.input(node, 2),
    bias: lowering.input(node, 3),
    mean: lowering.input(node, 4),
    variance: lowering.input(node, 5),
    divisor: hasDivisor ? lowering.input(node, 6) : ones(lowering, last),
  });
  const bounds = floatBounds(node);
  const parts = scratchWords(lowering, splits * words * 2);
  lowering.plan.step("batchNormSumsF32", {
    node: node.name,
    overrides,
    uniforms: { rows, words, tiles, share, groups: tiles * splits, ...bounds },
    buffers: { gradient, x: x.ref, facts, out: parts },
    groups: tiles * splits,
  });
  const shares = scratchWords(lowering, words * 2);
  const outs = {
    outScale: lowering.output(node, 1).ref,
    outBias: lowering.output(node, 2).ref,
    outDivisor: hasDivisor ? lowering.output(node, 3).ref : scratchWords(lowering, words),
  };
  const { epsilon, frozen } = node;
  lowering.plan.step("batchNormParametersGradF32", {
    node: node.name,
    overrides,
    uniforms: { words, last, splits, tiles, mean: frozen ? 0 : 1 / rows, epsilon },
    buffers: { parts, facts, ...outs, out: shares },
    groups: tiles,
  });
  withPicture(lowering, node, (out) => {
    const { words: count } = out.layout;
    lowering.plan.step("batchNormGradF32", {
      node: node.name,
      uniforms: { count, words, ...bounds },
      buffers: { gradient, x: x.ref, facts, shares, out: out.ref },
      groups: workgroups(count),
    });
  });
}

/** BatchNormalization with parameters that are values. */
export function lowerVariableBatchNorm(
  lowering: Lowering,
  node: NodeOf<"BatchNormalization">,
): void {
  const x = asPicture(lowering, node, lowering.input(node, 0));
  const { words, last } = rowsOf(x.layout);
  const facts = emitFacts(lowering, node, {
    scale: lowering.input(node, 1),
    bias: lowering.input(node, 2),
    mean: lowering.input(node, 3),
    variance: lowering.input(node, 4),
    divisor: ones(lowering, last),
  });
  withPicture(lowering, node, (out) => {
    const { words: count } = out.layout;
    lowering.plan.step("batchNormF32", {
      node: node.name,
      uniforms: { count, words, ...floatBounds({}) },
      buffers: { x: x.ref, facts, out: out.ref },
      groups: workgroups(count),
    });
  });
}

export function lowerUpdateRunning(lowering: Lowering, node: UpdateRunning): void {
  const [runningMean, runningVariance, mean, variance] = [0, 1, 2, 3].map(
    (index) => lowering.input(node, index).ref,
  ) as [Placed["ref"], Placed["ref"], Placed["ref"], Placed["ref"]];
  const { words } = layoutOf(lowering.shape(lowering.inputName(node, 0)));
  const { momentum, count } = node;
  const scaled = (momentum * count) / (count - 1);
  lowering.plan.step("updateRunningF32", {
    node: node.name,
    uniforms: { words, keep: 1 - momentum, momentum, scaled },
    buffers: { mean, variance, runningMean, runningVariance },
    groups: workgroups(words),
  });
}
