// What a run costs the thread that asks for it, in headless Chromium: its commands encoded and submitted; copying the
// picture, which anybody must, is told apart. A time and no ratio, since nothing else does the same work; the median of
// many runs, so that a busy machine moves it little.

import { expect, it } from "vitest";
import { runBench } from "./support.ts";

/** ms. */
const MOST = 0.3;

it("MobileNetV2 in int8 replays in at most 0.3 ms of the calling thread", async () => {
  const only = ["--only", "ours", "--batch", "1", "--rounds", "24"];
  const bench = await runBench("models", "--quick", ...only);
  const row = bench.models.find(({ model, dtype }) => model === "MobileNetV2" && dtype === "int8");
  const replay = row?.replay;
  if (!replay) throw new Error("MobileNetV2: ours int8 did not run");
  console.log(
    `replay: ${replay.median} ms (${replay.p10} – ${replay.p90}), ${replay.count} runs; copying the picture ${row.upload?.median} ms`,
  );
  expect(replay.count).toBeGreaterThanOrEqual(20);
  expect(replay.median).toBeLessThanOrEqual(MOST);
});
