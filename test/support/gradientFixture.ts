// PyTorch's gradients of one op at a time, test/fixtures/gradients.json: each case as a graph whose outputs are the
// gradients, and what they must be. Every rule that one branch of the library adds is tested by the same file.

import { appendGradients } from "../../src/autodiff/gradients.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { prune } from "../../src/graph/graph.ts";
import type { Node } from "../../src/graph/node.ts";
import { float32, tensor, type Tensor } from "../../src/tensor/tensor.ts";
import fixture from "../fixtures/gradients.json";
import type { Attributes, Case } from "./cases.ts";

interface Stored {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data: string | readonly number[];
}

function unpacked({ dtype, shape, data }: Stored): Tensor {
  if (typeof data === "string") {
    const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    return float32(shape, new Float32Array(bytes.buffer));
  }
  if (dtype === "bool") return tensor("bool", shape, Uint8Array.from(data));
  return tensor("int32", shape, Int32Array.from(data));
}

export interface GradientFixture extends Case {
  readonly title: string;
  /** Output of the graph → the gradient that it must be. */
  readonly want: ReadonlyMap<string, Tensor>;
}

/** Relative to the greatest element of a gradient: ten times closer than one part in a thousand. */
export const TOLERANCE = 1e-4;

/** The loss is Σ dY · y over all outputs that have a dY, so that its gradients are those of PyTorch's backward(dY). */
function graphOf(each: (typeof fixture.cases)[number]): Omit<GradientFixture, "title"> {
  const builder = new GraphBuilder();
  const feeds: Record<string, Tensor> = {};
  const names = each.inputs.map((stored, index) => {
    const value = unpacked(stored);
    feeds[`x${index}`] = value;
    return builder.input(`x${index}`, { dtype: value.dtype, shape: value.shape });
  });
  const outputs = each.dY.map((_, index) => `y${index}`);
  const node = each.node as Attributes<Node>;
  builder.add({ ...node, name: "node", inputs: names, outputs } as Node);
  const terms = each.dY.flatMap((stored, index) => {
    if (stored === null) return [];
    const dY = unpacked(stored);
    const [mixed, sum] = [`mixed${index}`, `sum${index}`];
    const inputs = [outputs[index] ?? "", builder.constant(`dY${index}`, dY)];
    builder.add({ op: "Mul", name: mixed, inputs, outputs: [mixed] });
    const axes = dY.shape.map((_, axis) => axis);
    const whole = { name: sum, inputs: [mixed], outputs: [sum], axes, keepdims: false };
    return [builder.add({ op: "ReduceSum", ...whole })];
  });
  const loss = terms.reduce((a, b, index) => {
    const name = `total${index}`;
    return builder.add({ op: "Add", name, inputs: [a, b], outputs: [name] });
  });
  const wanted = names.filter((_, index) => each.gradients[index] !== null);
  const gradients = appendGradients(builder, loss, wanted);
  const want = new Map<string, Tensor>();
  names.forEach((name, index) => {
    const [stored, gradient] = [each.gradients[index], gradients.get(name)];
    if (stored && gradient === undefined) throw new Error(`${each.title}: no gradient by ${name}.`);
    if (stored && gradient !== undefined) want.set(gradient, unpacked(stored));
  });
  return { graph: prune(builder.build("gradients", names, [...want.keys()])), feeds, want };
}

/** Every case; its graph is made when it is asked for. */
export const gradientFixtures = fixture.cases.map((each) => ({
  op: each.node.op,
  title: `${each.node.op} ${each.title}`,
  make: (): GradientFixture => ({ title: each.title, ...graphOf(each) }),
}));
