// The page's training as visitors use it, built, under its content security policy, in headless Chromium on the
// software adapter: few pictures and few steps, since what training is worth is tested elsewhere.

import { readFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright";
import { load } from "../../src/node.ts";
import { buildDemo, type Built } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";
import { serveFolder, type StaticServer } from "../support/staticServer.ts";
import { watch, type Watch } from "../support/watch.ts";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
  "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'";
const JOB = 200_000; // ms: on a software adapter and a busy machine
const STEPS = 8; // 32 pictures, 8 a step, twice

let built: Built;
let server: StaticServer;
let browser: Browser;
let page: Page;
let seen: Watch;

beforeAll(async () => {
  built = await buildDemo();
  server = await serveFolder(built.folder, POLICY);
  browser = await launchChromium();
  page = await browser.newPage();
  seen = watch(page);
  await page.goto(server.origin);
  await page.waitForSelector("#train:enabled");
});

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await built?.[Symbol.asyncDispose]();
});

/** Points of the bold line of a chart. */
const pointsOf = (page: Page, chart: string): Promise<[number, number][]> =>
  page.$eval(`#${chart} .mean`, (line) =>
    (line.getAttribute("points") ?? "")
      .split(" ")
      .map((point) => point.split(",").map(Number) as [number, number]),
  );

const chartWords = (page: Page, chart: string) =>
  page.getAttribute(`#${chart} svg`, "aria-label").then(String);

const untilStep = (page: Page, step: number) =>
  page.waitForFunction(
    (step) => {
      const words = document.querySelector("#loss-chart svg")?.getAttribute("aria-label") ?? "";
      return Number(/(\d+) of \d+;/.exec(words)?.[1]) >= step;
    },
    step,
    { timeout: JOB },
  );

describe("fine-tuning the sample", () => {
  it("trains, draws loss and accuracy, and stops with a checkpoint", async () => {
    const small = { pictures: 32, heldOut: 16, epochs: 2, batch: 8, learningRate: 0.002 };
    for (const [name, value] of Object.entries(small))
      await page.fill(`#training [name=${name}]`, String(value));
    expect(await page.isDisabled("#resume")).toBe(true);
    await page.focus("#train");
    await page.keyboard.press("Enter");
    await untilStep(page, 2);
    expect(await page.isDisabled("#run-sample")).toBe(true); // one job at a time
    expect(await page.innerText("#training-phase")).toBe("Step 2 of 4. Training");
    expect(await page.innerText("#training-count")).toMatch(/^\d+ of 8 steps(, \d+:\d\d left)?$/);
    await page.click("#stop");
    await page.waitForSelector("#training-problem:not([hidden])", { timeout: JOB });
    expect(await page.innerText("#training-problem")).toMatch(/^Stopped\s+Step \d+ is kept/);
    for (const chart of ["loss-chart", "accuracy-chart"]) {
      const points = await pointsOf(page, chart);
      expect(points.length).toBeGreaterThanOrEqual(2);
      expect(points.flat().every(Number.isFinite)).toBe(true);
      expect(points.every(([x], i) => i === 0 || x > points[i - 1]![0])).toBe(true);
    }
    expect(await chartWords(page, "accuracy-chart")).toMatch(
      /^Accuracy over steps: \d+ % at step 1, \d+ % at step \d+ of 8; the mean of the last \d+ is \d+ %\.$/,
    );
  });

  it("does not resume with other settings", async () => {
    await page.fill("#training [name=batch]", "4");
    expect(await page.isDisabled("#resume")).toBe(true);
    expect(await page.innerText("#kept")).toMatchInlineSnapshot(
      `"The stopped training has other settings; Train begins a new one and forgets it."`,
    );
    await page.fill("#training [name=batch]", "8");
    expect(await page.isEnabled("#resume")).toBe(true);
  });

  it("goes on at the step where it stopped, after the page was loaded again, and gives a file", async () => {
    const stopped = Number(/\d+$/.exec(await page.innerText("#resume"))?.[0]);
    expect(stopped).toBeGreaterThanOrEqual(2);
    expect(stopped).toBeLessThan(STEPS);
    await page.reload();
    await page.waitForSelector("#resume:enabled");
    expect(await page.innerText("#resume")).toBe(`Resume at step ${stopped}`);
    expect(await page.inputValue("#training [name=pictures]")).toBe("32");
    await page.click("#resume");
    await page.waitForSelector("#training-result:not([hidden])", { timeout: JOB });
    expect(await chartWords(page, "loss-chart")).toContain(` at step ${stopped + 1}, `);
    expect(await pointsOf(page, "loss-chart")).toHaveLength(STEPS - stopped);
    const shares = await page.$$eval("[data-top1]", (cells) =>
      cells.map((cell) => [(cell as HTMLElement).dataset["top1"], parseFloat(cell.textContent)]),
    );
    expect(shares.map(([name]) => name)).toEqual(["float", "calibrated", "trained"]);
    expect(shares[0]![1]).toBeGreaterThanOrEqual(80); // 97.2 of many pictures, 16 here
    for (const [, share] of shares)
      expect(Number(share) / 6.25).toBe(Math.round(Number(share) / 6.25));
    expect(await page.innerText("#training-result caption")).toMatch(
      /^8 steps on 32 pictures in \d+:\d\d, one scale a layer; measured on 16 others\.$/,
    );
    const waiting = page.waitForEvent("download");
    await page.click("#training-download");
    const got = await waiting;
    expect(got.suggestedFilename()).toBe("sample-trained-int8.onnx");
    expect((await load(new Uint8Array(await readFile(await got.path())))).stage).toBe("quantized");
    expect(await page.isDisabled("#resume")).toBe(true); // nothing is left to go on from
    expect(await page.isEnabled("#train")).toBe(true);
  });

  it("is quiet, and fits a phone", async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    expect(seen.errors).toEqual([]);
    expect([...seen.origins]).toEqual([server.origin]);
  });
});
