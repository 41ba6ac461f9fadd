// PyTorch's optimizers, test/fixtures/optimizers.json, as graphs whose gradients are inputs, and what is fed to them
// step by step: the parameters and gradients that make_optimizers.py drew, drawn again from their seeds.

import {
  appendOptimizer,
  hyperOf,
  type OptimizerSpec,
  type ParameterGroup,
} from "../../src/autodiff/optimizers.ts";
import { GraphBuilder } from "../../src/graph/builder.ts";
import { float32, type Tensors } from "../../src/tensor/tensor.ts";
import fixture from "../fixtures/optimizers.json";
import { floats } from "./seeded.ts";

const shapes = Object.entries(fixture.shapes);

const floatsOfBits = (hex: string): number[] => {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (byte) => parseInt(byte, 16));
  const view = new DataView(bytes.buffer);
  return Array.from({ length: bytes.length / 4 }, (_, index) => view.getFloat32(4 * index));
};

/** A graph of the parameters that `spec` trains; its gradients are inputs "gradient NAME". */
export function optimizerGraph(
  spec: OptimizerSpec,
  groups: readonly ParameterGroup[],
  parameters: ReadonlyMap<string, readonly number[]>,
  accumulate: boolean,
) {
  const builder = new GraphBuilder();
  builder.input("hyper", { dtype: "float32", shape: [8] });
  const gradients = new Map<string, string>();
  [...parameters].forEach(([name, shape], index) => {
    builder.variable(name, floats(shape, 100 + index));
    gradients.set(name, builder.input(`gradient ${name}`, { dtype: "float32", shape }));
  });
  const { norm } = appendOptimizer(builder, spec, groups, gradients, {
    hyper: "hyper",
    accumulate,
  });
  const outputs = norm === undefined ? [] : [norm];
  return builder.build("optimizer", ["hyper", ...gradients.values()], outputs);
}

/** Every case: its graph, what to feed, and what PyTorch gives. */
export const optimizerCases = fixture.cases.map((each) => {
  const { title, every, groups, state, norms } = each;
  const spec = each.spec as unknown as OptimizerSpec;
  const graph = optimizerGraph(spec, groups, new Map(shapes), every > 1);
  const feeds: Tensors[] = [];
  for (let step = 1; step <= fixture.steps; step++) {
    for (let micro = 0; micro < every; micro++) {
      const hyper = hyperOf(spec, {
        learningRate: spec.learningRate,
        update: step,
        accumulation: every,
        apply: micro === every - 1,
      });
      const gradients = shapes.map(([name, shape], index) => {
        return [`gradient ${name}`, floats(shape, 1000 * (step * 2 + micro) + index)] as const;
      });
      feeds.push({ hyper: float32([8], hyper), ...Object.fromEntries(gradients) });
    }
  }
  const named = (values: Readonly<Record<string, string>>) =>
    new Map(Object.entries(values).map(([name, hex]) => [name, floatsOfBits(hex)]));
  const parameters = new Map(
    Object.entries(each.parameters).map(([step, values]) => [Number(step), named(values)]),
  );
  return {
    title,
    every,
    graph,
    feeds,
    parameters,
    state: named(state),
    norms: floatsOfBits(norms),
  };
});
