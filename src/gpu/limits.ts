// What a device must be able to hold and bind for a plan, looked at before anything is compiled for it.

import { LimitError } from "../errors.ts";
import type { Plan, Step } from "../plan/plan.ts";
import type { Device } from "./device.ts";

const LARGER = "or use a device with larger limits: requestDevice asks for the adapter's own.";
const SMALLER = `Run fewer or smaller samples at a time, ${LARGER}`;
const LIGHTER =
  'Store its weights in fewer bits, as quantizeDynamic(model, { dtype: "int8-weight-only" }) or ' +
  `"int4-weight-only" does, ${LARGER}`;

/** Bytes to map after a run: all outputs, states and checks. */
export function readBytes({ outputs, states, checks }: Plan): number {
  return Math.max(
    4,
    [...outputs, ...states, ...checks].reduce((sum, { slice }) => sum + slice.size, 0),
  );
}

/** Throws LimitError, naming the node, where a binding or a buffer of `plan` is over the limits of `device`. */
export function checkLimits({ gpu: { limits } }: Device, plan: Plan): void {
  const { maxStorageBufferBindingSize: mostBound, maxBufferSize: mostHeld } = limits;
  for (const step of plan.steps) {
    for (const { buffer, size } of Object.values(step.buffers)) {
      if (size <= mostBound) continue;
      const isConstant = plan.buffers[buffer]?.role === "constants";
      const what = `${isConstant ? "its weights" : "one of its tensors"} must be at most`;
      throw new LimitError(
        `compile: node "${step.node}": ${what} ${mostBound} bytes here (maxStorageBufferBindingSize); got ${size}. ` +
          (isConstant ? LIGHTER : SMALLER),
        { node: step.node, needed: size, limit: mostBound },
      );
    }
  }
  plan.buffers.forEach(({ role, size }, index) => {
    if (size <= mostHeld) return;
    const isIn = ({ buffers }: Step) => Object.values(buffers).some((at) => at.buffer === index);
    const node = plan.steps.find(isIn)?.node ?? "";
    throw new LimitError(
      `compile: node "${node}": a buffer of ${role} must be at most ${mostHeld} bytes here (maxBufferSize); got ` +
        `${size}. ${role === "constants" ? LIGHTER : SMALLER}`,
      { node, needed: size, limit: mostHeld },
    );
  });
  const read = readBytes(plan);
  if (read <= mostHeld) return;
  throw new LimitError(
    `compile: all outputs together must be at most ${mostHeld} bytes here (maxBufferSize); got ${read}. ${SMALLER}`,
    { node: plan.outputs[0]?.name ?? "", needed: read, limit: mostHeld },
  );
}
