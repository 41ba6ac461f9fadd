// An optimizer as nodes: a clip factor over all gradients, then one update a parameter, at the end of a graph that
// has the gradients. What an optimizer remembers are variables of the graph, named after their parameters in
// PyTorch's words, so that a checkpoint of all variables is a checkpoint of the optimizer.

import { InputError } from "../errors.ts";
import type { GraphBuilder } from "../graph/builder.ts";
import { matchesPattern, mostSpecific } from "../graph/pattern.ts";
import { HYPER, HYPER_SIZE } from "../graph/updates.ts";
import { float32, sizeOf } from "../tensor/tensor.ts";

interface Shared {
  /** Of the first step; schedules multiply it. */
  readonly learningRate: number;
  /** Of every parameter whose group says nothing else; 0 unless told, and 0.01 for "adamw". */
  readonly weightDecay?: number;
  /** Bring the norm over all gradients under this: torch.nn.utils.clip_grad_norm_. */
  readonly maxNorm?: number;
}

/** torch.optim.SGD, Adam and AdamW with PyTorch's defaults: docs/quantization.md (80), (81). */
export type OptimizerSpec =
  | (Shared & {
      readonly kind: "sgd";
      readonly momentum?: number;
      readonly dampening?: number;
      readonly nesterov?: boolean;
    })
  | (Shared & {
      readonly kind: "adam" | "adamw";
      readonly betas?: readonly [number, number];
      readonly epsilon?: number;
    });

/** Parameters whose names are `match`, or match it as a pattern with *; the most specific group wins. */
export interface ParameterGroup {
  readonly match: string;
  /** In place of the optimizer's; schedules multiply it too. */
  readonly learningRate?: number;
  readonly weightDecay?: number;
  /** Stays as it is. */
  readonly frozen?: boolean;
}

const BETAS = [0.9, 0.999] as const;

/** What was added to the graph. */
export interface AppendedOptimizer {
  /** The optimizer's own variables. */
  readonly variables: readonly string[];
  /** The norm over all gradients before clipping, of shape []: only with `maxNorm`. */
  readonly norm: string | undefined;
}

/** What a step of training is told. */
export interface StepHyper {
  /** After schedules. */
  readonly learningRate: number;
  /** The number of this update, or of the one it accumulates for; the first is 1. */
  readonly update: number;
  /** Batches whose gradients are averaged into one update; 1 unless told. */
  readonly accumulation?: number;
  /** Whether this step updates, as the last batch of an update does; true unless told. */
  readonly apply?: boolean;
}

/** What a step is fed as `hyper`. */
export function hyperOf(
  spec: OptimizerSpec,
  { learningRate, update, accumulation = 1, apply = true }: StepHyper,
): Float32Array {
  const [beta1, beta2] = spec.kind === "sgd" ? BETAS : (spec.betas ?? BETAS);
  const hyper = new Float32Array(HYPER_SIZE);
  hyper[HYPER.learningRate] = learningRate;
  hyper[HYPER.apply] = Number(apply);
  hyper[HYPER.scale] = 1 / accumulation;
  hyper[HYPER.correction1] = 1 / (1 - beta1 ** update);
  hyper[HYPER.correction2] = 1 / (1 - beta2 ** update);
  hyper[HYPER.first] = Number(update === 1);
  return hyper;
}

/** The group of parameter `name`; the first of equal patterns. */
export function groupOf(
  groups: readonly ParameterGroup[],
  name: string,
): ParameterGroup | undefined {
  const match = mostSpecific(
    groups.map((group) => group.match),
    name,
  );
  return groups.find((group) => group.match === match);
}

/** Names that an error lists. */
const LISTED = 12;

/** The parameters among `names` that are trained. Throws InputError where a group names none of them, and where
 *  none is left. */
export function trainable(names: readonly string[], groups: readonly ParameterGroup[]): string[] {
  for (const { match } of groups) {
    if (names.some((name) => matchesPattern(match, name))) continue;
    const some = names.slice(0, LISTED).map((name) => `"${name}"`);
    const more = names.length > LISTED ? `, and ${names.length - LISTED} more` : "";
    throw new InputError(
      `groups "${match}": it must name a parameter or be a pattern of names. ` +
        `Use one of ${some.join(", ")}${more}.`,
    );
  }
  const left = names.filter((name) => groupOf(groups, name)?.frozen !== true);
  if (left.length > 0 || names.length === 0) return left;
  throw new InputError(
    `groups: at least one parameter must be trained; got ${names.length} frozen. Free some of them.`,
  );
}

interface Rule {
  readonly what: string;
  readonly value: number | undefined;
  readonly isRight: (value: number) => boolean;
  readonly range: string;
}

const isNatural = (value: number) => value >= 0 && Number.isFinite(value);
const isPositive = (value: number) => value > 0 && Number.isFinite(value);
const isFraction = (value: number) => value >= 0 && value < 1;

/** Throws InputError where a number is out of its range. */
export function validateOptimizer(
  spec: OptimizerSpec,
  groups: readonly ParameterGroup[] = [],
): void {
  const natural = (what: string, value: number | undefined): Rule => {
    return { what, value, isRight: isNatural, range: "0 or more" };
  };
  const rules = [
    { what: "learningRate", value: spec.learningRate, isRight: isPositive, range: "more than 0" },
    natural("weightDecay", spec.weightDecay),
    { what: "maxNorm", value: spec.maxNorm, isRight: isPositive, range: "more than 0" },
    ...groups.flatMap(({ match, learningRate, weightDecay }) => [
      natural(`learningRate of group "${match}"`, learningRate),
      natural(`weightDecay of group "${match}"`, weightDecay),
    ]),
    ...(spec.kind === "sgd"
      ? [
          natural("momentum", spec.momentum),
          { what: "dampening", value: spec.dampening, isRight: Number.isFinite, range: "a number" },
        ]
      : [
          ...(spec.betas ?? []).map((value, index) => {
            return { what: `betas[${index}]`, value, isRight: isFraction, range: "in [0, 1)" };
          }),
          natural("epsilon", spec.epsilon),
        ]),
  ];
  for (const { what, value, isRight, range } of rules) {
    if (value === undefined || isRight(value)) continue;
    throw new InputError(
      `optimizer "${spec.kind}": ${what} must be ${range}; got ${value}. Change it.`,
    );
  }
  if (spec.kind === "sgd" && spec.nesterov && (!spec.momentum || spec.dampening)) {
    throw new InputError(
      `optimizer "sgd": nesterov needs a momentum and no dampening; got momentum ${spec.momentum ?? 0}, ` +
        `dampening ${spec.dampening ?? 0}. Set momentum, 0.9 for one, and leave dampening out.`,
    );
  }
}

/** PyTorch's words for what an optimizer remembers of each parameter. */
const STATE = {
  sgd: ["momentum_buffer"],
  adam: ["exp_avg", "exp_avg_sq"],
  adamw: ["exp_avg", "exp_avg_sq"],
} as const;

/**
 * Append to `builder` the step of an optimizer on the parameters that `gradients` names, each a variable, with the
 * name of its gradient. Parameters of frozen groups are passed by.
 * @param options.hyper The graph's input of hyperparameters, float32 [8]: graph/updates.ts.
 * @param options.accumulate Add gradients up over several runs: updates happen where hyper says so.
 * @throws InputError for numbers out of range.
 */
export function appendOptimizer(
  builder: GraphBuilder,
  spec: OptimizerSpec,
  groups: readonly ParameterGroup[],
  gradients: ReadonlyMap<string, string>,
  options: { readonly hyper: string; readonly accumulate?: boolean },
): AppendedOptimizer {
  validateOptimizer(spec, groups);
  const { hyper, accumulate = false } = options;
  const hyperShape = builder.value(hyper).shape;
  if (hyperShape.length !== 1 || hyperShape[0] !== HYPER_SIZE)
    throw new Error(`optimizer: "${hyper}" must have shape [${HYPER_SIZE}]; please report.`);
  const variables: string[] = [];
  const remember = (parameter: string, word: string): string => {
    const shape = builder.value(parameter).shape as readonly number[];
    const zeros = float32(shape, new Float32Array(sizeOf(shape)));
    const name = builder.variable(builder.fresh(`${parameter}.${word}`), zeros);
    variables.push(name);
    return name;
  };
  const node = (parameter: string, op: string) => builder.fresh(`${parameter}/${op}`);

  const trained = [...gradients].filter(([name]) => groupOf(groups, name)?.frozen !== true);
  const used = trained.map(([parameter, gradient]): readonly [string, string] => {
    if (!accumulate) return [parameter, gradient];
    const sum = remember(parameter, "grad");
    const [inputs, name] = [[sum, gradient, hyper], node(parameter, "Accumulate")];
    builder.add({ op: "Accumulate", name, inputs, outputs: [] });
    return [parameter, sum];
  });

  let factor: string | undefined;
  let norm: string | undefined;
  if (spec.maxNorm !== undefined && used.length > 0) {
    [factor, norm] = [builder.fresh("clip/factor"), builder.fresh("clip/norm")];
    builder.add({
      op: "ClipFactor",
      name: builder.fresh("clip"),
      inputs: used.map(([, gradient]) => gradient),
      outputs: [factor, norm],
      maxNorm: spec.maxNorm,
    });
  }

  for (const [parameter, gradient] of used) {
    const group = groupOf(groups, parameter);
    const own = spec.kind === "adamw" ? 0.01 : 0;
    const common = {
      outputs: [],
      rate: (group?.learningRate ?? spec.learningRate) / spec.learningRate,
      weightDecay: group?.weightDecay ?? spec.weightDecay ?? own,
      accumulated: accumulate,
    };
    const inputsWith = (state: readonly string[]) => {
      return [parameter, gradient, hyper, ...state, ...(factor === undefined ? [] : [factor])];
    };
    if (spec.kind === "sgd") {
      const { momentum = 0, dampening = 0, nesterov = false } = spec;
      const state = momentum === 0 ? [] : STATE.sgd.map((word) => remember(parameter, word));
      const [name, inputs] = [node(parameter, "SgdUpdate"), inputsWith(state)];
      builder.add({ op: "SgdUpdate", name, inputs, ...common, momentum, dampening, nesterov });
    } else {
      const { betas: [beta1, beta2] = BETAS, epsilon = 1e-8 } = spec;
      const state = STATE[spec.kind].map((word) => remember(parameter, word));
      const [name, inputs] = [node(parameter, "AdamUpdate"), inputsWith(state)];
      const decoupled = spec.kind === "adamw";
      builder.add({ op: "AdamUpdate", name, inputs, ...common, beta1, beta2, epsilon, decoupled });
    }
  }
  return { variables, norm };
}
