// One graph's plans for every size up to bounds. Its one idea: the plan for the bounds is lowered first and
// decides; those for smaller sizes have the same steps with other uniforms, in the same memory, with
// constants that are there. Products alone differ: those at the ends of the range (size 1, which has a
// kernel family of its own, and the bound) choose their tiles, and between them the nearest above counts.

import { InputError } from "../errors.ts";
import { bindShapes, type BoundGraph } from "../graph/bind.ts";
import type { Graph } from "../graph/graph.ts";
import type { Arrangement } from "./arrangement.ts";
import type { PlanBuilder } from "./builder.ts";
import { Choices } from "./choices.ts";
import { ConstantPool } from "./constants.ts";
import { lowerInto } from "./lower.ts";
import type { Plan } from "./plan.ts";
import type { Target } from "./target.ts";

export type Dims = ReadonlyMap<string, number>;

/** A plan, and whether it lies in the memory of the plan for the bounds. */
export interface FamilyPlan {
  readonly plan: Plan;
  readonly isShared: boolean;
}

/** Open sizes of which every combination of ends is lowered when the family is made. */
const MOST_COMBINED = 3;

export class PlanFamily {
  readonly bounds: Dims;
  /** The plan for the bounds. */
  readonly greatest: Plan;
  /** Plans that between them have every kernel and constant of the family; `greatest` is the first. */
  readonly ends: readonly Plan[];
  readonly #graph: Graph;
  readonly #target: Target;
  readonly #shared: { readonly choices: Choices; readonly pool: ConstantPool };
  readonly #arrangement: Arrangement;

  /** Throws what `bindShapes` and `lower` throw for the sizes at the ends of the range. */
  constructor(graph: Graph, target: Target, bounds: Dims) {
    this.bounds = bounds;
    this.#graph = graph;
    this.#target = target;
    const bound = bindShapes(graph, bounds);
    const probes = probesOf(bounds).map((dims) => bindSmaller(graph, dims));
    this.#shared = { choices: new Choices([bound, ...probes]), pool: new ConstantPool() };
    const { plan, arrangement } = this.#lower(bound).arrange();
    this.greatest = plan;
    this.#arrangement = arrangement;
    const corners = cornersOf(bounds).map((dims) => this.#lower(bindSmaller(graph, dims)));
    this.#shared.choices.seal();
    this.ends = [plan, ...corners.map((corner) => this.#place(corner).plan)];
  }

  /** The plan for `dims`, none of them over its bound. */
  planFor(dims: Dims): FamilyPlan {
    return this.#place(this.#lower(bindShapes(this.#graph, dims)));
  }

  #lower(graph: BoundGraph): PlanBuilder {
    return lowerInto(graph, this.#target, this.#shared);
  }

  #place(builder: PlanBuilder): FamilyPlan {
    const plan = builder.finishIn(this.#arrangement);
    return plan ? { plan, isShared: true } : { plan: builder.finish(), isShared: false };
  }
}

/** `sizes` with each of `names` at 1 and not, but for the one where none is. */
function cornersOf(bounds: Dims): Dims[] {
  const names = [...bounds].filter(([, size]) => size > 1).map(([name]) => name);
  const ones = (which: readonly string[]): Dims =>
    new Map([...bounds].map(([name, size]) => [name, which.includes(name) ? 1 : size]));
  if (names.length > MOST_COMBINED) return [names, ...names.map((name) => [name])].map(ones);
  const subsets = names.reduce<string[][]>(
    (found, name) => [...found, ...found.map((subset) => [...subset, name])],
    [[]],
  );
  return subsets.filter((subset) => subset.length > 0).map(ones);
}

/** `graph` at sizes within the bounds, all of which must be possible. */
function bindSmaller(graph: Graph, dims: Dims): BoundGraph {
  try {
    return bindShapes(graph, dims);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const sizes = [...dims].map(([name, size]) => `${name} ${size}`).join(", ");
    throw new InputError(
      `bounds: every size from 1 to its bound must fit the model; ${sizes} does not: ${error.message} ` +
        "Compile without bounds: each set of sizes is then planned when it comes.",
      { cause: error },
    );
  }
}

/** Sizes to try statements at: what divides the bound, and what only size 1 has, must not count. */
function probesOf(bounds: Dims): Dims[] {
  const odd = (size: number) => (size > 2 && size % 2 === 0 ? size - 1 : size);
  const all = new Map([...bounds].map(([name, size]) => [name, odd(size)]));
  const other = new Map([...all].map(([name, size]) => [name, Math.max(1, size - 1)]));
  const alone = [...bounds.keys()].map((name) => new Map([...bounds, [name, 1]]));
  return [all, other, ...alone];
}
