// A whole training step as one graph: forward, loss, backward, update. What a batch brings are inputs, what
// training changes are variables, and what it tells are outputs.

import { InputError } from "../errors.ts";
import type { BoundGraph } from "../graph/bind.ts";
import { GraphBuilder } from "../graph/builder.ts";
import { valueOf } from "../graph/graph.ts";
import { withPrefix } from "../graph/rename.ts";
import { HYPER_SIZE } from "../graph/updates.ts";
import { formatShape } from "../tensor/tensor.ts";
import type { Forward } from "./forward.ts";
import { appendGradients } from "./gradients.ts";
import { accuracy, crossEntropy, distillation, mse, weighted } from "./losses.ts";
import {
  appendOptimizer,
  trainable,
  type OptimizerSpec,
  type ParameterGroup,
} from "./optimizers.ts";

/** What training makes small. */
export type LossSpec =
  /** Labels (…) for logits (…, C); −100 does not count. docs/quantization.md (75). */
  | { readonly kind: "crossEntropy"; readonly labelSmoothing?: number }
  /** Targets of the output's shape. */
  | { readonly kind: "mse" }
  /** Cross-entropy with the labels and, `weight` of the whole, the divergence from a teacher's logits at
   *  `temperature`; `features` are values of student and teacher that are to be near each other. */
  | {
      readonly kind: "distillation";
      readonly temperature?: number;
      readonly weight?: number;
      readonly labelSmoothing?: number;
      readonly features?: readonly {
        readonly student: string;
        readonly teacher: string;
        readonly weight: number;
      }[];
    };

export interface StepSpec {
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  readonly groups?: readonly ParameterGroup[];
  /** Gradients of several batches are added up, and hyper says when they are applied. */
  readonly accumulate?: boolean;
  /** The output that the loss is of. Default: the first. */
  readonly output?: string;
  /** Takes the same inputs; never trained. For "distillation". */
  readonly teacher?: BoundGraph;
}

export interface StepGraph {
  readonly graph: BoundGraph;
  /** The input of labels, int32, or of targets, float32. */
  readonly target: string;
  /** The input of hyperparameters: graph/updates.ts. */
  readonly hyper: string;
  /** Outputs of shape []. `accuracy` where there are labels, `norm` where gradients are clipped. */
  readonly loss: string;
  readonly accuracy: string | undefined;
  readonly norm: string | undefined;
  /** The variables that are trained. */
  readonly trained: readonly string[];
}

const TEACHER = "teacher/";

/** The share of the teacher, and how flat its answers are made: Hinton et al., arXiv 1503.02531. */
const DISTILLATION = { temperature: 4, weight: 0.7 } as const;

/** Append loss, backward pass and update to `forward`. Throws UnsupportedError for nodes without a gradient,
 *  InputError for numbers out of range and names that the model does not have. */
export function stepGraph(forward: Forward, spec: StepSpec): StepGraph {
  const { graph, parameters } = forward;
  const { loss: lossSpec, optimizer, groups = [], accumulate = false } = spec;
  validateLoss(lossSpec, spec.teacher !== undefined);
  const builder = GraphBuilder.from(graph);
  builder.nodes.push(...graph.nodes);
  for (const [name, value] of graph.values) builder.values.set(name, value);
  const output = spec.output ?? graph.outputs[0] ?? "";
  if (!graph.outputs.includes(output))
    throw new InputError(
      `train: the model has no output "${output}"; got ${graph.outputs.join(", ")}. Name one of them.`,
    );
  const shape = valueOf(graph, output).shape as readonly number[];
  const isReal = lossSpec.kind === "mse";
  if (!isReal && shape.length === 0)
    throw new InputError(
      `train: "${output}" must have classes on its last axis; got ${formatShape(shape)}. Use loss "mse".`,
    );
  const target = builder.input(builder.fresh(isReal ? "targets" : "labels"), {
    dtype: isReal ? "float32" : "int32",
    shape: isReal ? shape : shape.slice(0, -1),
  });
  const hyper = builder.input(builder.fresh("hyper"), { dtype: "float32", shape: [HYPER_SIZE] });
  const loss = appendLoss(builder, spec, output, target);
  const right = isReal ? undefined : accuracy(builder, output, target);
  const trained = trainable(parameters, groups);
  const gradients = appendGradients(builder, loss, trained);
  const missing = trained.filter((name) => !gradients.has(name));
  if (missing.length === trained.length)
    throw new InputError(
      `train: the loss depends on none of the parameters ${missing.slice(0, 3).join(", ")}. ` +
        "Choose another output, or free other parameters.",
    );
  const guarded = builder.fresh("guard:y");
  const guard = builder.fresh("guard");
  builder.add({ op: "GuardStep", name: guard, inputs: [hyper, loss], outputs: [guarded] });
  const options = { hyper: guarded, accumulate };
  const { norm } = appendOptimizer(builder, optimizer, groups, gradients, options);
  const told = [loss, right, norm].flatMap((name) => name ?? []);
  const built = builder.build(graph.name, [...graph.inputs, target, hyper], told);
  return {
    ...{ graph: built as BoundGraph, target, hyper, loss, accuracy: right, norm },
    trained: [...gradients.keys()],
  };
}

/** Throws InputError where a number is out of its range, and for a teacher that nothing asks or that is missing. */
export function validateLoss(loss: LossSpec, hasTeacher: boolean): void {
  const check = (what: string, value: number | undefined, isRight: boolean, range: string) => {
    if (value === undefined || isRight) return;
    throw new InputError(
      `train: loss "${loss.kind}": ${what} must be ${range}; got ${value}. Change it.`,
    );
  };
  if (loss.kind !== "mse") {
    const { labelSmoothing = 0 } = loss;
    const isRight = labelSmoothing >= 0 && labelSmoothing < 1;
    check("labelSmoothing", labelSmoothing, isRight, "in [0, 1)");
  }
  if (loss.kind === "distillation") {
    const { temperature = DISTILLATION.temperature, weight = DISTILLATION.weight } = loss;
    const isWarm = temperature > 0 && Number.isFinite(temperature);
    check("temperature", temperature, isWarm, "more than 0");
    check("weight", weight, weight >= 0 && weight <= 1, "in [0, 1]");
  }
  const needsTeacher = loss.kind === "distillation";
  if (hasTeacher && !needsTeacher)
    throw new InputError(
      `train: loss "${loss.kind}" asks no teacher; got one. ` +
        'Use loss { kind: "distillation" }, or leave the teacher out.',
    );
  if (!hasTeacher && needsTeacher)
    throw new InputError(
      'train: loss "distillation" needs a teacher; got none. Pass { teacher: model }.',
    );
}

function appendLoss(builder: GraphBuilder, spec: StepSpec, output: string, target: string): string {
  const { loss, teacher } = spec;
  if (loss.kind === "mse") return mse(builder, output, target);
  const { labelSmoothing = 0 } = loss;
  const hard = crossEntropy(builder, output, target, { labelSmoothing });
  if (loss.kind === "crossEntropy" || !teacher) return hard;
  const { temperature = DISTILLATION.temperature, weight = DISTILLATION.weight } = loss;
  const pairs = loss.features ?? [];
  const logits = appendTeacher(builder, teacher, output);
  const named = pairs.map((pair) => ({ ...pair, teacher: TEACHER + pair.teacher }));
  for (const name of named.flatMap((pair) => [pair.student, pair.teacher])) {
    if (builder.values.has(name)) continue;
    throw new InputError(
      `train: features: no value "${name}". Print the models to see their names.`,
    );
  }
  const soft = distillation(builder, {
    ...{ student: output, teacher: logits, temperature },
    features: named,
  });
  return weighted(builder, [
    { loss: hard, weight: 1 - weight },
    { loss: soft, weight },
  ]);
}

/** The teacher's nodes and constants beside the student's; its logits: its output of the name of the student's,
 *  or its first. */
function appendTeacher(builder: GraphBuilder, teacher: BoundGraph, output: string): string {
  const own = withPrefix(teacher, TEACHER);
  for (const name of own.inputs) {
    if (builder.values.has(name)) continue;
    throw new InputError(
      `train: the teacher's input "${name}" is none of the model's. Use a model of the same inputs.`,
    );
  }
  for (const [name, data] of own.constants) builder.constant(name, data, valueOf(own, name).quant);
  for (const node of own.nodes)
    builder.add(node, { dtype: valueOf(own, node.outputs[0] ?? "").dtype });
  const [first = ""] = own.outputs;
  const logits = own.outputs.find((name) => name === TEACHER + output) ?? first;
  const shapes = [logits, output].map((name) => formatShape(builder.value(name).shape));
  if (shapes[0] === shapes[1]) return logits;
  throw new InputError(
    `train: the teacher's output must have shape ${shapes[1]}; got ${shapes[0]}. Use a model of the same classes.`,
  );
}
