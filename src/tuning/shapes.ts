// The distinct dense products of a model, each with a graph of its own: what there is to tune.

import type { BoundGraph } from "../graph/bind.ts";
import { valueOf } from "../graph/graph.ts";
import { lower } from "../plan/lower.ts";
import type { Plan, Step } from "../plan/plan.ts";
import { shapeClass, type ProductSizes, type Target } from "../plan/target.ts";

/** A class of products, and one of them. */
export interface Shape {
  readonly shapeClass: string;
  readonly sizes: ProductSizes;
  /** The node alone, between graph inputs and outputs. */
  readonly graph: BoundGraph;
  readonly node: string;
}

/** Multiply-accumulates of a product, in words. */
export const workOf = ({ m, n, k, groups }: ProductSizes): number => m * n * k * groups;

/** The sizes of a dense product's step, in any family; undefined for every other step. */
function sizesOf({ shader, uniforms: u }: Step): ProductSizes | undefined {
  const match = /^(conv|gemv)(Quad|Tiled|TiledParts|Matrix|Observed|QuadObserved)?(F32|I8)$/.exec(
    shader,
  );
  if (!match) return undefined;
  const of = (name: string) => u[name] ?? 0;
  return {
    dtype: match[3] === "I8" ? "i8" : "f32",
    m: of("pixels"),
    n: of("groupOuts"),
    k: of("kernelHeight") * of("kernelWidth") * of("groupWords"),
    groups: Math.round(of("inWords") / Math.max(1, of("groupWords"))),
  };
}

function isolate(graph: BoundGraph, name: string): BoundGraph {
  const nodes = graph.nodes.filter((node) => node.name === name);
  const used = new Set(nodes.flatMap(({ inputs, outputs }) => [...inputs, ...outputs]));
  return {
    ...graph,
    inputs: nodes.flatMap(({ inputs }) => inputs).filter((input) => !graph.constants.has(input)),
    outputs: nodes.flatMap(({ outputs }) => outputs),
    nodes,
    values: new Map([...used].map((value) => [value, valueOf(graph, value)] as const)),
    constants: new Map([...graph.constants].filter(([value]) => used.has(value))),
  } as BoundGraph;
}

/** The distinct products of `graph`, the greatest first. */
export function shapesOf(graph: BoundGraph, target: Target): Shape[] {
  const shapes = new Map<string, Shape>();
  for (const step of lower(graph, target).steps) {
    const sizes = sizesOf(step);
    if (!sizes || shapes.has(shapeClass(sizes))) continue;
    const { node } = step;
    shapes.set(shapeClass(sizes), {
      shapeClass: shapeClass(sizes),
      sizes,
      graph: isolate(graph, node),
      node,
    });
  }
  return [...shapes.values()].sort((a, b) => workOf(b.sizes) - workOf(a.sizes));
}

/** A plan that does the shape's product `repeats` times and nothing else. */
export function repeated(shape: Shape, target: Target, repeats: number): Plan {
  const plan = lower(shape.graph, target);
  const product = plan.steps.filter((step) => sizesOf(step) ?? step.shader.startsWith("join"));
  if (product.length === 0) throw new Error(`tune: "${shape.node}" has no product; please report.`);
  const steps = Array.from({ length: repeats }, () => product).flat();
  return { ...plan, steps, outputs: [], states: [] };
}
