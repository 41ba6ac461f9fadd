// The example of quantization-aware training does what it says, on few pictures.

import { expect, it } from "vitest";
import { main } from "../../examples/qat.ts";
import { load } from "../../src/load.ts";

it("examples/qat.ts wins back what one scale a filter loses", async () => {
  const lines: string[] = [];
  // After ten steps rates are at their greatest and accuracy goes up and down; after twenty it has settled.
  const { before, after, file } = await main({ trained: 640, tested: 100, epochs: 1 }, (line) => {
    lines.push(line);
  });
  console.log(lines.at(-1));
  expect(after).toBeGreaterThan(before + 5);
  expect((await load(file)).stage).toBe("quantized");
});
