// load takes turns with the event loop, tells how far it is, and stops when it is told to.

import { describe, expect, it } from "vitest";
import { load, type LoadProgress } from "../../src/load.ts";
import { node, tiny } from "./formats/onnxModels.ts";

const COUNT = 20_000;
const names = Array.from({ length: COUNT + 1 }, (_, at) => (at === 0 ? "x" : `v${at}`));
const bytes = tiny({
  nodes: names.slice(1).map((name, at) => node("Relu", [names[at] ?? ""], [name])),
  outputs: [names.at(-1) ?? ""],
});

describe("load of a long file", () => {
  it("lets other work run in between, and tells how far it is", async () => {
    const seen: LoadProgress[] = [];
    let turns = 0;
    const timer = setInterval(() => turns++, 0);
    try {
      const model = await load(bytes, { onImport: (progress) => void seen.push(progress) });
      expect(model.graph.nodes.length).toBe(COUNT);
    } finally {
      clearInterval(timer);
    }
    expect(turns).toBeGreaterThan(1);
    expect(seen.length).toBeGreaterThan(1);
    expect(seen.every(({ total }) => total === COUNT)).toBe(true);
    expect(seen.every(({ done }, at) => done >= (seen[at - 1]?.done ?? 0))).toBe(true);
  });

  it("stops when its signal aborts, in the turn after", async () => {
    const controller = new AbortController();
    let last = 0;
    const loading = load(bytes, {
      signal: controller.signal,
      onImport: ({ done }) => {
        last = done;
        if (done > 0) controller.abort();
      },
    });
    await expect(loading).rejects.toMatchObject({ name: "AbortError" });
    expect(last).toBeGreaterThan(0);
    expect(last).toBeLessThan(COUNT);
  });

  it("does not start with a signal that has aborted", async () => {
    const signal = AbortSignal.abort(new Error("no"));
    await expect(load(bytes, { signal })).rejects.toThrow("no");
  });
});
