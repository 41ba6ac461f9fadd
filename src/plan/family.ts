// One graph's plans for every size up to bounds. Its one idea: the plan for the bounds is lowered first and
// decides; those for smaller sizes have the same steps with other uniforms, in the same memory, with
// constants that are there. Products alone differ: those at the ends of the range (size 1, which has a
// kernel family of its own, and the bound) choose their tiles, and between them the nearest above counts.

import { InputError } from "../errors.ts";
import { atOnce, type Steps } from "../flow/turns.ts";
import { bindShapes, type BoundGraph } from "../graph/bind.ts";
import type { Graph } from "../graph/graph.ts";
import type { Arrangement } from "./arrangement.ts";
import type { PlanBuilder } from "./builder.ts";
import { Choices } from "./choices.ts";
import { ConstantPool } from "./constants.ts";
import { lowerSteps, type Shared } from "./lower.ts";
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
  readonly #shared: Shared;
  readonly #arrangement: Arrangement;

  private constructor(made: Made) {
    this.bounds = made.bounds;
    this.greatest = made.greatest;
    this.ends = made.ends;
    this.#graph = made.graph;
    this.#target = made.target;
    this.#shared = made.shared;
    this.#arrangement = made.arrangement;
  }

  /** Throws what `bindShapes` and `lower` throw for the sizes at the ends of the range. */
  static create(graph: Graph, target: Target, bounds: Dims): PlanFamily {
    return atOnce(PlanFamily.steps(graph, target, bounds));
  }

  /** The same in steps. */
  static *steps(graph: Graph, target: Target, bounds: Dims): Steps<PlanFamily> {
    const bound = bindShapes(graph, bounds);
    const probes = probesOf(bounds).map((dims) => bindSmaller(graph, dims));
    yield;
    const shared = { choices: new Choices([bound, ...probes]), pool: new ConstantPool() };
    const { plan, arrangement } = yield* (yield* lowerSteps(bound, target, shared)).arrange();
    const corners: PlanBuilder[] = [];
    for (const dims of cornersOf(bounds))
      corners.push(yield* lowerSteps(bindSmaller(graph, dims), target, shared));
    shared.choices.seal();
    const ends = [plan];
    for (const corner of corners) ends.push((yield* place(corner, arrangement)).plan);
    return new PlanFamily({ graph, target, bounds, shared, arrangement, greatest: plan, ends });
  }

  /** The plan for `dims`, none of them over its bound. */
  planFor(dims: Dims): FamilyPlan {
    return atOnce(this.planSteps(dims));
  }

  /** The same in steps. */
  *planSteps(dims: Dims): Steps<FamilyPlan> {
    const graph = bindShapes(this.#graph, dims);
    return yield* place(yield* lowerSteps(graph, this.#target, this.#shared), this.#arrangement);
  }
}

/** What a family is made of. */
interface Made {
  readonly graph: Graph;
  readonly target: Target;
  readonly bounds: Dims;
  readonly shared: Shared;
  readonly arrangement: Arrangement;
  readonly greatest: Plan;
  readonly ends: readonly Plan[];
}

function* place(builder: PlanBuilder, arrangement: Arrangement): Steps<FamilyPlan> {
  const plan = builder.finishIn(arrangement);
  return plan ? { plan, isShared: true } : { plan: yield* builder.finishSteps(), isShared: false };
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
