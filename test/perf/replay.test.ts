// What a run costs the thread that asks for it, in headless Chromium: its commands encoded and submitted, and their errors
// heard of; copying the picture, which anybody must, is told apart. A time and no ratio, since nothing else does the same
// work; processor time, since by the clock a software adapter, which the first submit wakes, takes the thread's processor
// away.

import { expect, it } from "vitest";
import { runBench } from "./support.ts";

/** ms. */
const MOST = 0.3;

it("MobileNetV2 in int8 replays in at most 0.3 ms of the calling thread's processor time", async () => {
  const only = ["--only", "ours", "--batch", "1", "--rounds", "24"];
  const bench = await runBench("models", "--quick", ...only);
  const row = bench.models.find(({ model, dtype }) => model === "MobileNetV2" && dtype === "int8");
  const { replay, replayCpu, upload } = row ?? {};
  if (!replay || !upload) throw new Error("MobileNetV2: ours int8 did not run");
  if (!replayCpu) throw new Error("the browser told no processor time");
  const words = ({ median, p10, p90 }: typeof replay) =>
    `${median.toFixed(3)} ms (${p10.toFixed(3)} – ${p90.toFixed(3)})`;
  console.log(
    `replay: ${words(replayCpu)} of a processor, ${words(replay)} by the clock; copying the picture ${words(upload)}`,
  );
  expect(replayCpu.median).toBeGreaterThan(0);
  expect(replayCpu.median).toBeLessThanOrEqual(MOST);
});
