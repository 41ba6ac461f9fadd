// Ways out speak as the surface does: no message on the command line or the page tells a user to call a function.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { forSurface } from "../../src/wayOut.ts";

it.each([
  [
    "Fix the symbolic size when loading: load(bytes, { dims: { name: size } }).",
    "Fix the symbolic size when loading: --dims NAME=SIZE.",
  ],
  ["Fix it when loading: load(bytes, { dims: { h: 224 } }).", "Fix it when loading: --dims h=224."],
  [
    "Fix it when loading: load(bytes, { dims: { h: 224, my size: 1 } }).",
    'Fix it when loading: --dims h=224 --dims "my size=1".',
  ],
  ["give them when loading: load(bytes, { dims })", "give them when loading: --dims NAME=SIZE"],
  [
    'give it: load(bytes, { constants: { "sr": tensor, "h": tensor } })',
    "give it: --constant sr=VALUE --constant h=VALUE",
  ],
  [
    "Pass less at a time, or compile with { bounds: { n: 9 } }.",
    "Pass less at a time, or give --bound n=9.",
  ],
  [
    "a symbolic size; fix sizes with dims when loading",
    "a symbolic size; fix sizes with --dims NAME=SIZE",
  ],
  [
    'Pass the file\'s bytes: load(bytes, { externalData: new Map([["w.bin", bytes]]) }).',
    'Put "w.bin" beside the model.',
  ],
  ["nothing of the kind", "nothing of the kind"],
])("%s", (api, cli) => {
  expect(forSurface(api, "cli")).toBe(cli);
});

it("the page names the command that writes a file it takes", () => {
  expect(forSurface("Fix it: load(bytes, { dims: { h: 224 } }).", "page")).toBe(
    "Fix it: webgpu-quant export MODEL --out fixed.onnx --dims h=224 on the command line, then open that file here.",
  );
});

it("every way out that calls load in a message has a form for the other surfaces", () => {
  const root = join(import.meta.dirname, "../../src");
  const files = readdirSync(root, { recursive: true, encoding: "utf8" }).filter(
    (file) => file.endsWith(".ts") && file !== "wayOut.ts",
  );
  const unknown = files.flatMap((file) => {
    const calls = readFileSync(join(root, file), "utf8").match(/load\(bytes, \{ \w+/g) ?? [];
    return calls.filter((call) => !/\{ (?:dims|constants|externalData|inputShape)$/.test(call));
  });
  expect(unknown).toEqual([]);
});
