// Quantized files that lie, through all that load does to them.

import { it } from "vitest";
import { importOnnx } from "../../../src/formats/onnx/import.ts";
import { fuse } from "../../../src/quantize/fuse.ts";
import { integerize } from "../../../src/quantize/integerize.ts";
import { readMutations } from "./mutations.ts";
import { quantizedFiles } from "./quantizedModels.ts";

it("10,000 seeded mutations of quantized files end in a graph or a typed error", () => {
  const seeds = Object.values(quantizedFiles).map((make) => make().bytes);
  readMutations(seeds, 10_000, 20261125, (bytes) => integerize(fuse(importOnnx(bytes))));
}, 60_000);
