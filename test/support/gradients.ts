// A graph's gradients by autodiff against central differences of the same graph, both by the
// reference in float64 (import float64.ts first, before everything). The loss is a random mixture
// of all elements of all outputs.

import { appendGradients } from "../../src/autodiff/gradients.ts";
import { bindShapes } from "../../src/graph/bind.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import type { Node } from "../../src/graph/node.ts";
import { interpret } from "../../src/reference/interpret.ts";
import { sizeOf, tensor, type Tensor, type Tensors } from "../../src/tensor/tensor.ts";
import type { Attributes } from "./cases.ts";
import { floats, generator } from "./seeded.ts";

/** A shape, for elements in [−1, 1) by the seed, or the data. */
export type Input = readonly number[] | Tensor;

export interface GradientCase {
  /** Add nodes that read `names`, the values x0, x1, … of `inputs`; give the names of the outputs. */
  readonly build: (builder: GraphBuilder, names: readonly string[]) => string | readonly string[];
  readonly inputs: readonly Input[];
  /** Indices of the inputs to differentiate by; all float32 ones where left out. */
  readonly of?: readonly number[];
  /** Printed where a gradient is wrong. */
  readonly seed: number;
}

/** A case of one node: its inputs are the case's, its `outputs` y0, y1, … all count. */
export function singleNode(
  attributes: Attributes<Node>,
  inputs: readonly Input[],
  { seed, of, outputs = 1 }: { seed: number; of?: readonly number[]; outputs?: number },
): GradientCase {
  const build = (builder: GraphBuilder, names: readonly string[]) => {
    const results = Array.from({ length: outputs }, (_, index) => `y${index}`);
    builder.add({ ...attributes, name: "node", inputs: names, outputs: results } as Node);
    return results;
  };
  return { build, inputs, seed, ...(of ? { of } : {}) };
}

/** Greatest |got − want| allowed, of the greatest |want|: differences over 2h leave h² and ε / h. */
const TOLERANCE = 1e-5;
const H = 1e-5;
/** What a difference may be where the gradient is 0. */
const NOISE = 1e-9;
/** Elements of an input that are moved one by one; all are moved together as well. */
const SINGLES = 24;

function assertFloat64(): void {
  if (new Float32Array([0.1])[0] === 0.1) return;
  throw new Error('gradients: import "../support/float64.ts" before everything else.');
}

/** `value` with t · direction added. */
function moved(value: Tensor, direction: (index: number) => number, t: number): Tensor {
  const data = Float32Array.from(value.data as Float32Array, (x, i) => x + t * direction(i));
  return tensor("float32", value.shape, data);
}

/** The graph of the loss, and the gradients of it that are asked for. */
function differentiate({ build, inputs, of, seed }: GradientCase) {
  assertFloat64();
  const feeds: Record<string, Tensor> = {};
  const builder = new GraphBuilder();
  const names = inputs.map((input, index) => {
    const value = "dtype" in input ? input : floats(input, seed + index);
    feeds[`x${index}`] = value;
    return builder.input(`x${index}`, { dtype: value.dtype, shape: value.shape });
  });
  const outputs = [build(builder, names)].flat();
  const terms = outputs.map((output, index) => {
    const shape = builder.value(output).shape as readonly number[];
    const mixed = `loss:mixed${index}`;
    const mixture = builder.constant(`loss:by${index}`, floats(shape, seed + 1000 + index));
    builder.add({ op: "Mul", name: mixed, inputs: [output, mixture], outputs: [mixed] });
    const [name, axes] = [`loss:sum${index}`, shape.map((_, axis) => axis)];
    const sum = { op: "ReduceSum", name, inputs: [mixed], outputs: [name], axes } as const;
    return builder.add({ ...sum, keepdims: false });
  });
  const loss = terms.reduce((a, b, index) => {
    const name = `loss:total${index}`;
    return builder.add({ op: "Add", name, inputs: [a, b], outputs: [name] });
  });
  const { nodes, ...rest } = bindShapes(builder.build("loss", names, [loss]), new Map());
  const forward = { ...rest, nodes: [...nodes] };
  const wanted = (of ?? names.map((_, index) => index)).flatMap((index) => {
    const name = names[index] ?? "";
    return of || feeds[name]?.dtype === "float32" ? [name] : [];
  });
  const gradients = appendGradients(builder, loss, wanted);
  const graph = bindShapes(builder.build("gradients", names, [...gradients.values()]), new Map());
  const found = interpret(graph, feeds);
  return {
    feeds,
    gradients: wanted.map((name) => {
      const gradient = found.get(gradients.get(name) ?? "");
      if (gradient) return [name, gradient] as const;
      throw new Error(`gradients: seed ${seed}: none by ${name}.`);
    }),
    lossAt: (changed: Tensors): number =>
      Number(interpret(forward, { ...feeds, ...changed }).get(loss)?.data[0]),
  };
}

/** The gradients of the case's loss by autodiff, one for each input asked for. */
export function gradientsOf(of: GradientCase): Tensor[] {
  return differentiate(of).gradients.map(([, gradient]) => gradient);
}

/** Throws where the gradient of the loss by an input is not its central difference: by single elements,
 *  and along a random direction. */
export function checkGradients(of: GradientCase): void {
  const { feeds, gradients, lossAt } = differentiate(of);
  for (const [name, got] of gradients) compare(name, feeds[name]!, got, lossAt, of.seed);
}

function compare(
  name: string,
  value: Tensor,
  got: Tensor,
  lossAt: (changed: Tensors) => number,
  seed: number,
): void {
  const shapes = `[${got.shape.join()}] for [${value.shape.join()}]`;
  if (got.shape.join() !== value.shape.join())
    throw new Error(`gradients: seed ${seed}: the shape by ${name} is ${shapes}.`);
  const difference = (direction: (index: number) => number): number => {
    const at = (t: number) => lossAt({ [name]: moved(value, direction, t) });
    return (at(H) - at(-H)) / (2 * H);
  };
  const size = sizeOf(value.shape);
  const elements = Array.from(got.data as Float32Array);
  const greatest = elements.reduce((most, element) => Math.max(most, Math.abs(element)), 0);
  const next = generator(seed + 2000);
  const picked = Array.from({ length: Math.min(size, SINGLES) }, (_, index) =>
    size <= SINGLES ? index : Math.floor(next() * size),
  );
  const check = (what: string, is: number, want: number, scale: number) => {
    if (Math.abs(is - want) <= TOLERANCE * Math.max(scale, Math.abs(want)) + NOISE) return;
    throw new Error(`gradients: seed ${seed}: by ${what} is ${is}; the difference is ${want}.`);
  };
  for (const index of picked) {
    const want = difference((i) => (i === index ? 1 : 0));
    check(`${name}[${index}] of [${value.shape.join()}]`, elements[index]!, want, greatest);
  }
  const direction = Array.from({ length: size }, () => next() * 2 - 1);
  const along = elements.reduce((sum, element, i) => sum + element * direction[i]!, 0);
  const scale = elements.reduce((sum, element, i) => sum + Math.abs(element * direction[i]!), 0);
  check(
    `${name} along a direction`,
    along,
    difference((i) => direction[i]!),
    scale,
  );
}
