// Checkpoints in the page's IndexedDB: they are there after the page is loaded again, and an origin without room gets a
// typed error and keeps what it had.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright";
import { buildModules, type Built } from "../support/build.ts";
import { launchChromium } from "../support/chromium.ts";
import { serveFolder, type StaticServer } from "../support/staticServer.ts";

const POLICY = "default-src 'none'; script-src 'self'";

let built: Built;
let server: StaticServer;
let browser: Browser;
let page: Page;

beforeAll(async () => {
  built = await buildModules({ checkpoints: "test/browser/harness/checkpoints.ts" });
  server = await serveFolder(built.folder, POLICY);
  server.memory.set("index.html", "<!doctype html><title>checkpoints</title>");
  browser = await launchChromium({ webgpu: "none" });
  page = await browser.newPage();
  await page.goto(server.origin);
});

afterAll(async () => {
  await browser?.close();
  await server?.[Symbol.asyncDispose]();
  await built?.[Symbol.asyncDispose]();
});

function inPage<T>(name: string, ...args: readonly unknown[]): Promise<T> {
  return run(page, name, args);
}

function run<T>(page: Page, name: string, args: readonly unknown[]): Promise<T> {
  const list = args.map((arg) => JSON.stringify(arg)).join(", ");
  return page.evaluate(`import("/checkpoints.js").then((harness) => harness.${name}(${list}))`);
}

describe("checkpoints in IndexedDB", () => {
  it("are the newest two, each run's its own, also after the page was loaded again", async () => {
    expect(await inPage("putAll", "a", [1, 2, 10], 100)).toEqual([10, 2]);
    expect(await inPage("putAll", "b", [5], 100)).toEqual([5]);
    await page.reload();
    expect(await inPage("newest", "a")).toEqual({ step: 10, first: 10 });
    expect(await inPage("clear", "a")).toEqual({ steps: [], missing: undefined });
    expect(await inPage("newest", "b")).toEqual({ step: 5, first: 5 });
  });

  it("end in a typed error where the origin has no room, and what was there stays", async () => {
    // Of its own storage: Chromium asks for the room that is left every half a minute.
    const small = await (await browser.newContext()).newPage();
    await small.goto(server.origin);
    const control = await small.context().newCDPSession(small);
    const quota = { origin: server.origin, quotaSize: 4 * 2 ** 20 };
    await control.send("Storage.overrideQuotaForOrigin", quota);
    expect(await run(small, "putOne", ["full", 1, 1000])).toEqual({ error: undefined, steps: [1] });
    const { error, steps } = await run<{ error?: Record<string, string>; steps: number[] }>(
      small,
      "putOne",
      ["full", 2, 4 * 2 ** 20],
    );
    expect([error?.["kind"], error?.["reason"], steps]).toEqual(["CheckpointError", "full", [1]]);
    expect(error?.["message"]).toMatchInlineSnapshot(
      `"checkpoint: IndexedDB "full" has no room for it. Free some of the disk, keep fewer checkpoints, or store them less often."`,
    );
    expect(await run(small, "newest", ["full"])).toEqual({ step: 1, first: 1 });
  });
});
