// Control flow. A condition that is known at import (from constants, from shapes, from inputs that the caller gives as
// constants) chooses its branch there. One that a run computes cannot: the kernels of a plan are fixed. Then both
// branches run, and each output is chosen by a Where, which needs both to be of one shape.

import { formatShape } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";
import type { GraphProto } from "../proto.ts";

export function If(call: Call): void {
  const condition = call.entry(0);
  if (condition.kind !== "constant") return both(call);
  const { dtype, shape, data } = condition.tensor;
  if (dtype !== "bool" || data.length !== 1) {
    call.wrong("the condition must be one bool", `${dtype}${formatShape(shape)}`);
  }
  call.inline(branchOf(call, data[0] === 0 ? "else_branch" : "then_branch"));
}

function branchOf(call: Call, name: "then_branch" | "else_branch"): GraphProto {
  const branch = call.graph(name) ?? call.wrong(`attribute ${name} must be given`, "none");
  if (branch.inputs.length > 0) {
    call.wrong(`${name} must have no inputs`, String(branch.inputs.length));
  }
  if (branch.outputs.length < call.proto.outputs.length) {
    const rule = `${name} must have ${call.proto.outputs.length} outputs`;
    call.wrong(rule, String(branch.outputs.length));
  }
  return branch;
}

/** Both branches, and a Where for each output that is used. */
function both(call: Call): void {
  const { scope } = call;
  const dtype = scope.dtypeOf(call.input(0));
  if (dtype !== "bool" || call.shape(0).some((size) => size !== 1)) {
    call.wrong("the condition must be one bool", `${dtype}${formatShape(call.shape(0))}`);
  }
  const wanted = call.proto.outputs.map((output, index) => output !== "" && call.isUsed(index));
  const [yes = [], no = []] = (["then_branch", "else_branch"] as const).map((name) => {
    const branch = branchOf(call, name);
    const outputs = call.proto.outputs.map((output, index) =>
      wanted[index] ? call.fresh(`${output}_${name === "then_branch" ? "then" : "else"}`) : "",
    );
    call.inline(branch, outputs);
    return outputs;
  });
  let condition = call.input(0);
  if (call.rank(0) > 0) {
    const scalar = call.fresh(`${condition}_scalar`);
    const name = scope.nodeNames.fresh(`${call.name}_squeeze`);
    const axes = call.shape(0).map((_, axis) => axis);
    scope.add({ op: "Squeeze", name, inputs: [condition], outputs: [scalar], axes });
    condition = scalar;
  }
  call.proto.outputs.forEach((output, index) => {
    const branches = [yes[index] ?? "", no[index] ?? ""];
    // What has no entry was refused inside its branch, with its reason.
    if (!wanted[index] || branches.some((name) => scope.entry(name) === undefined)) return;
    const types = branches.map(
      (name) => `${scope.dtypeOf(name)}${formatShape(scope.shapeOf(name))}`,
    );
    if (types[0] !== types[1]) return refuseShapes(call, output, types);
    const isLast = call.proto.outputs.slice(index + 1).every((_, at) => !wanted[index + 1 + at]);
    const name = isLast ? call.name : scope.nodeNames.fresh(`${call.name}_${index}`);
    scope.add({ op: "Where", name, inputs: [condition, ...branches], outputs: [output] });
  });
}

function refuseShapes(call: Call, output: string, types: readonly string[]): never {
  const inputs = call.scope.inputsOf(call.input(0));
  const names = inputs.map((name) => `"${name}"`).join(", ") || "nothing";
  return call.refuse(
    `a run decides it, by ${names}, and its branches give "${output}" as ${types.join(" or ")}: ` +
      "both run here, so they must give one type and shape. If what decides is always the same for you, " +
      `give it when loading: load(bytes, { constants: { ${inputs.map((name) => `"${name}": tensor`).join(", ")} } }); ` +
      "else export the model with one branch",
  );
}
