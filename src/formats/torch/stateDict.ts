// A state dict: tensors by the names of a module's parameters and buffers. Names alone; the architecture
// is the caller's to supply (src/models).

import type { QParams } from "../../graph/value.ts";
import type { Tensor } from "../../tensor/tensor.ts";

/** One tensor; a quantized one holds q, and `quant` says what q means. */
export interface StateEntry {
  readonly tensor: Tensor;
  readonly quant?: QParams;
}

export type StateDict = ReadonlyMap<string, StateEntry>;
