// Control flow that is decided at import. The kernels of a plan are fixed, so a condition must be known then:
// from constants, from shapes, or from inputs that the caller gives as constants.

import { formatShape } from "../../../tensor/tensor.ts";
import type { Call } from "../call.ts";

export function If(call: Call): void {
  const condition = call.entry(0);
  if (condition.kind !== "constant") {
    const inputs = call.scope.inputsOf(call.input(0));
    const given = inputs.map((name) => `"${name}": tensor`).join(", ");
    return call.refuse(
      `the condition must be known at import; it is computed at run time from ` +
        `${inputs.map((name) => `"${name}"`).join(", ") || "nothing"}. ` +
        `Give what it depends on when loading: load(bytes, { constants: { ${given} } })`,
    );
  }
  const { dtype, shape, data } = condition.tensor;
  if (dtype !== "bool" || data.length !== 1) {
    call.wrong("the condition must be one bool", `${dtype}${formatShape(shape)}`);
  }
  const name = data[0] === 0 ? "else_branch" : "then_branch";
  const branch = call.graph(name) ?? call.wrong(`attribute ${name} must be given`, "none");
  if (branch.inputs.length > 0) {
    call.wrong(`${name} must have no inputs`, String(branch.inputs.length));
  }
  if (branch.outputs.length < call.proto.outputs.length) {
    const rule = `${name} must have ${call.proto.outputs.length} outputs`;
    call.wrong(rule, String(branch.outputs.length));
  }
  call.inline(branch);
}
