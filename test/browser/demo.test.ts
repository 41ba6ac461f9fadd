// The demo page as visitors use it, built, under its content security policy, in headless Chromium on
// the software adapter.

import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright";
import { load, save, type Model } from "../../src/node.ts";
import { fixture } from "../null/formats/torch/support.ts";
import { fileOf } from "../null/pictures/fixtures.ts";
import { buildDemo, type Built } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";
import { expectSameGraph, predictionsInNode } from "../support/quantizedFile.ts";
import { sampleFile } from "../support/sampleModel.ts";
import { serveFolder, type StaticServer } from "../support/staticServer.ts";
import { watch, type Watch } from "../support/watch.ts";

const POLICY =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
  "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'";
const JOB = 200_000; // ms: a whole job on a software adapter and a busy machine

let built: Built;
let server: StaticServer;

beforeAll(async () => {
  built = await buildDemo();
  server = await serveFolder(built.folder, POLICY);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await built?.[Symbol.asyncDispose]();
});

/** What Playwright takes as a file. */
const file = (name: string, bytes: Uint8Array) => ({
  name,
  mimeType: "",
  buffer: Buffer.from(bytes),
});

/** The int8 column of the table, as numbers. */
async function figuresOf(page: Page): Promise<Record<string, number>> {
  await page.waitForSelector("#result:not([hidden]) #figures", { timeout: JOB });
  const cells = await page.$$eval("#figures [data-figure]", (all) =>
    all.map((cell) => [(cell as HTMLElement).dataset["figure"] ?? "", cell.textContent] as const),
  );
  return Object.fromEntries(cells.map(([name, text]) => [name, parseFloat(text)]));
}

/** The int8 file behind the link. */
async function download(page: Page): Promise<{ name: string; bytes: Uint8Array }> {
  const waiting = page.waitForEvent("download");
  await page.click("#download");
  const got = await waiting;
  return { name: got.suggestedFilename(), bytes: await readFile(await got.path()) };
}

describe("the page with an adapter", () => {
  let browser: Browser;
  let page: Page;
  let seen: Watch;

  beforeAll(async () => {
    browser = await launchChromium();
  });

  beforeEach(async () => {
    await page?.close();
    page = await browser.newPage();
    seen = watch(page);
    await page.goto(server.origin);
    await page.waitForSelector("#run-sample:enabled");
  });

  afterAll(async () => {
    await browser?.close();
  });

  /** Nothing on the console, no broken policy, no other origin. */
  const expectQuiet = (): void => {
    expect(seen.errors).toEqual([]);
    expect([...seen.origins]).toEqual([server.origin]);
  };

  it("names the adapter, and warns that software says nothing about speed", async () => {
    expect(await page.innerText("#adapter")).toMatch(/swiftshader\s+Kind\s+software/);
    expect(await page.innerText("#advice")).toMatchInlineSnapshot(
      `"This adapter is software: it computes on the CPU. The figures are right, the latencies say nothing about a GPU."`,
    );
    expect(await page.isDisabled("#run-own")).toBe(true); // no model was chosen
    expectQuiet();
  });

  it("quantizes the sample from the keyboard, and shows the table and a file that loads", async () => {
    await page.focus("#run-sample");
    await page.keyboard.press("Enter");
    await page.waitForFunction(
      () => document.getElementById("count")?.textContent.endsWith(" left"),
      null,
      { timeout: JOB },
    );
    expect(await page.innerText("#phase")).toMatch(/^Step \d of 4\. /);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("cancel");
    const figures = await figuresOf(page);
    expect(figures["bytesShare"]).toBeLessThan(40); // int8 is 25; 8 % is names, the rest scales per channel
    expect(figures["top1"]).toBeGreaterThanOrEqual(96); // float 97.20
    expect(figures["agreement"]).toBeGreaterThanOrEqual(98); // 99.80 in November 2026
    expect(figures["sqnr"]).toBeGreaterThanOrEqual(25); // 30.0 in November 2026
    expect(figures["latency"]).toBeGreaterThan(0);
    expect(figures["integerMacs"]).toBeGreaterThanOrEqual(99);
    expect(await page.locator("#layers tbody tr").count()).toBe(5);
    expect(await page.evaluate(() => document.activeElement?.id)).toBe("job-title");
    const { name, bytes } = await download(page);
    expect(name).toBe("sample-int8.onnx");
    expect(bytes.length / 1000).toBeCloseTo(figures["bytes"] ?? 0, 0); // shown in kB
    expect((await load(bytes)).stage).toBe("quantized");
    expectQuiet();
  });

  it("cancels, and then quantizes a chosen model, skipping and counting broken pictures", async () => {
    await page.click("#run-sample");
    await page.waitForSelector("#bar[value]", { timeout: JOB });
    await page.click("#cancel");
    await page.waitForSelector("#problem:not([hidden])", { timeout: JOB });
    expect(await page.innerText("#problem")).toMatch(/^Cancelled\s/);
    expect(await page.isEnabled("#run-sample")).toBe(true);

    const good = ["420.jpg", "rgb.png", "lossy.webp"].map((name) => file(name, fileOf(name)));
    const broken = file("broken.jpg", fileOf("420.jpg").subarray(0, 200));
    await page.setInputFiles("#files", [file("my.model.onnx", sampleFile()), ...good, broken]);
    expect(await page.innerText("#chosen")).toBe("my.model.onnx, 4 pictures.");
    await page.selectOption("#preprocess", "tf");
    await page.click("#run-own");
    const figures = await figuresOf(page);
    expect(Object.keys(figures)).not.toContain("top1");
    expect(figures["agreement"]).toBeGreaterThanOrEqual(0);
    expect(figures["sqnr"]).toBeGreaterThan(10); // calibrated on the very pictures: far from noise
    expect(await page.innerText("#figures caption")).toMatchInlineSnapshot(
      `"Calibrated on 3 pictures, measured on 3. The pictures have no labels, so there is no top-1."`,
    );
    await page.click("#skipped summary");
    expect(await page.innerText("#skipped")).toMatch(
      /^1 broken picture skipped\s+picture "broken\.jpg": /,
    );
    expect((await download(page)).name).toBe("my.model-int8.onnx");
    expectQuiet();
  });

  const quantized = "quantized.traced.pt"; // PyTorch's integers; any size of picture

  it("runs a dropped TorchScript model that is quantized, and offers it as ONNX", async () => {
    const good = ["420.jpg", "rgb.png", "lossy.webp"].map((name) => file(name, fileOf(name)));
    const broken = file("broken.jpg", fileOf("420.jpg").subarray(0, 200));
    await page.setInputFiles("#files", [file(quantized, fixture(quantized)), ...good, broken]);
    expect(await page.inputValue("#preprocess")).toBe("imagenet"); // what torchvision's models want
    await page.click("#run-own");
    const figures = await figuresOf(page);
    expect(Object.keys(figures)).toEqual([
      "bytesGiven",
      "bytes",
      "integerNodes",
      "floatNodes",
      "integerMacs",
      "latency",
    ]);
    expect(figures["bytesGiven"]).toBeCloseTo(fixture(quantized).length / 1000, 1);
    expect(figures["integerNodes"]).toBeGreaterThan(0);
    expect(figures["floatNodes"]).toBe(0);
    expect(figures["integerMacs"]).toBe(100);
    expect(figures["latency"]).toBeGreaterThan(0);
    expect(await page.innerText("#figures caption")).toMatchInlineSnapshot(
      `"Quantized already: it runs as it is, without calibration. Measured on 3 pictures. The pictures have no labels, so there is no top-1."`,
    );
    expect(await page.locator("#layers").count()).toBe(0); // there is no float model
    const predictions = await page.$$eval("#predictions tbody tr", (rows) =>
      rows.map(({ children: [name, best] }) => [name?.textContent, Number(best?.textContent)]),
    );
    expect(predictions).toEqual(await predictionsInNode(fixture(quantized), good));
    expect(await page.innerText("#skipped summary")).toBe("1 broken picture skipped");
    await expectSameGraph(await download(page), fixture(quantized));
    expectQuiet();
  });

  it("reads, describes and saves a quantized model without pictures, as .pt and as .onnx", async () => {
    const qdq = save((await load(fixture(quantized))) as Model<"quantized">);
    for (const [name, bytes] of [
      [quantized, fixture(quantized)],
      ["quantized.traced.onnx", qdq],
    ] as const) {
      await page.setInputFiles("#files", file(name, bytes));
      expect(await page.innerText("#chosen")).toBe(`${name}, no pictures.`);
      await page.click("#run-own");
      await page.waitForFunction(
        (bytes) =>
          document.querySelector("[data-figure=bytesGiven]")?.textContent.startsWith(bytes),
        (bytes.length / 1000).toFixed(1),
      );
      const figures = await figuresOf(page);
      expect(figures["integerMacs"]).toBe(100);
      expect(Object.keys(figures)).not.toContain("latency");
      expect(await page.locator("#predictions").count()).toBe(0);
      await expectSameGraph(await download(page), bytes);
    }
    expect(await page.innerText("#figures caption")).toMatchInlineSnapshot(
      `"Quantized already: it runs as it is, without calibration. Add pictures to run it on them."`,
    );
    expectQuiet();
  });

  it("says that a float model needs pictures", async () => {
    await page.setInputFiles("#files", file("sample.onnx", sampleFile()));
    await page.click("#run-own");
    await page.waitForSelector("#problem:not([hidden])");
    expect(await page.innerText("#problem")).toMatchInlineSnapshot(`
      "InputError

      pictures: a float model is calibrated and measured on some; got none. Choose pictures like those it will see."
    `);
  });

  it("tells what is wrong with a dropped file, and stays usable", async () => {
    await page.evaluate(() => {
      const data = new DataTransfer();
      data.items.add(new File(["no model"], "broken.onnx"));
      data.items.add(new File(["no picture"], "a.png", { type: "image/png" }));
      data.items.add(new File(["neither"], "notes.txt"));
      const event = new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true });
      document.getElementById("drop")?.dispatchEvent(event);
    });
    await page.waitForSelector("#run-own:enabled");
    expect(await page.innerText("#chosen")).toBe("broken.onnx, 1 picture; 1 other file left out.");
    await page.click("#run-own");
    await page.waitForSelector("#problem:not([hidden])");
    expect(await page.innerText("#problem")).toMatchInlineSnapshot(`
      "FormatError

      file: must be a model that this library reads; got text that begins "no model", not a model. Where this was a download, read what the server says. Pass a model: .onnx, TorchScript .pt, or weights as .pth or .safetensors."
    `);
    expect(await page.isEnabled("#run-sample")).toBe(true);

    await page.setInputFiles("#files", [file("sample.onnx", sampleFile())]);
    await page.click("#run-own");
    await page.waitForFunction(() =>
      document.getElementById("problem")?.textContent.startsWith("InputError"),
    );
    expect(await page.innerText("#problem")).toMatchInlineSnapshot(`
      "InputError

      pictures: no picture could be read; got 1 broken one(s), the first is picture "a.png": the format must be JPEG, PNG or WebP; got a file that starts with 6e 6f 20 70. Convert the picture, or leave the file out."
    `);
    expectQuiet();
  });

  it("fits a phone: nothing is wider than 360 px", async () => {
    await page.setViewportSize({ width: 360, height: 800 });
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  it("follows the system to dark", async () => {
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.emulateMedia({ colorScheme: "light" });
    expect(await ground()).toBe("rgb(255, 255, 255)");
    await page.emulateMedia({ colorScheme: "dark" });
    expect(await ground()).toBe("rgb(18, 23, 22)");
  });
});

describe("the page without an adapter", () => {
  let browser: Browser;

  beforeAll(async () => {
    browser = await launchChromium({ webgpu: "none", hosts: "MAP page.test 127.0.0.1" });
  });

  afterAll(async () => {
    server.memory.clear();
    await browser?.close();
  });

  interface Visit {
    readonly address?: string;
    readonly system?: string;
    /** A script that runs before the page's own. */
    readonly before?: string;
  }

  /** What the page says, and that it says nothing else. */
  async function adviceOf(visit: Visit): Promise<string> {
    const { address = server.origin, system = "X11; Linux x86_64", before } = visit;
    const userAgent = `Mozilla/5.0 (${system}) Chrome/150.0.0.0 Safari/537.36`;
    const context = await browser.newContext({ userAgent });
    try {
      const page = await context.newPage();
      if (before !== undefined) await page.addInitScript(before);
      const seen = watch(page);
      await page.goto(address);
      await page.waitForSelector("#advice:not([hidden])");
      expect(await page.isDisabled("#run-sample")).toBe(true);
      expect(await page.locator("#sample-pictures li").count()).toBe(10); // the rest of the page is there
      expect(seen.errors).toEqual([]);
      return await page.innerText("#advice");
    } finally {
      await context.close();
    }
  }

  it("says how to turn it on under Linux", async () => {
    expect(await adviceOf({})).toMatchInlineSnapshot(`
      "WebGPU is there, but the browser offers no GPU adapter.

      In Chrome or Edge open chrome://settings/system and turn on graphics acceleration.
      On Linux also install the GPU's Vulkan driver and turn on chrome://flags/#enable-unsafe-webgpu.
      Without a GPU, start Chromium with --enable-unsafe-webgpu: it brings a software adapter.
      Then restart the browser and reload this page."
    `);
  });

  it("says how to turn it on under Windows", async () => {
    const system = "Windows NT 10.0; Win64; x64";
    expect(await adviceOf({ system })).toMatchInlineSnapshot(`
      "WebGPU is there, but the browser offers no GPU adapter.

      In Chrome or Edge open chrome://settings/system and turn on graphics acceleration.
      Update the graphics driver.
      Then restart the browser and reload this page."
    `);
  });

  it("says how to turn it on under macOS", async () => {
    const system = "Macintosh; Intel Mac OS X 10_15_7";
    expect(await adviceOf({ system })).toMatchInlineSnapshot(`
      "WebGPU is there, but the browser offers no GPU adapter.

      In Chrome or Edge open chrome://settings/system and turn on graphics acceleration.
      Update macOS: Metal comes with it.
      Then restart the browser and reload this page."
    `);
  });

  it("says how to turn it on under Android", async () => {
    expect(await adviceOf({ system: "Linux; Android 10; K" })).toMatchInlineSnapshot(`
      "WebGPU is there, but the browser offers no GPU adapter.

      Update Chrome and Android: Android 12 or newer is needed.
      Then restart the browser and reload this page."
    `);
  });

  it("says that the address is at fault where the page is not secure", async () => {
    const address = server.origin.replace("127.0.0.1", "page.test");
    expect(await adviceOf({ address })).toMatchInlineSnapshot(`
      "Browsers show WebGPU only to secure pages.

      Open this page on https, or on localhost."
    `);
  });

  it("says which browsers have WebGPU where this one has none, or not in workers", async () => {
    const assets = await readdir(join(built.folder, "assets"));
    const worker = `assets/${assets.find((name) => name.startsWith("worker-"))}`;
    const code = await readFile(join(built.folder, worker), "utf8");
    server.memory.set(worker, `delete WorkerNavigator.prototype.gpu;${code}`);
    expect(await adviceOf({})).toMatchInlineSnapshot(`
      "This browser has WebGPU, but not in workers.

      Update the browser, or use Chrome or Edge."
    `);
    const before = "delete Navigator.prototype.gpu";
    expect(await adviceOf({ before })).toMatchInlineSnapshot(`
      "This browser has no WebGPU.

      Chrome and Edge have it from 113, on Android from 121.
      Firefox has it from 141 on Windows and from 145 on macOS.
      Safari has it from 26."
    `);
  });
});
