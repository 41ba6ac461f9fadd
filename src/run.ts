// run: a session and host tensors → host tensors.

import { checkSession } from "./callerChecks.ts";
import type { RunOptions, Session } from "./session.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** Run `session` once: `session.run` as a verb. */
export async function run(
  session: Session,
  inputs: Tensors,
  options: RunOptions = {},
): Promise<Tensors> {
  checkSession("run", session);
  return await session.run(inputs, options);
}
