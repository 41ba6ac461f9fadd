// run: a session and host tensors → host tensors.

import type { RunOptions, Session } from "./session.ts";
import type { Tensors } from "./tensor/tensor.ts";

/** Run `session` once: `session.run` as a verb. */
export function run(session: Session, inputs: Tensors, options: RunOptions = {}): Promise<Tensors> {
  return session.run(inputs, options);
}
