// A page that is hidden and frozen in the middle of a job: the job goes on, and gives the same file to the byte.

import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { fileOf as pictureFile } from "../null/pictures/fixtures.ts";
import { buildDemo, type Built } from "../support/build.ts";
import { launchPiped, type PipedChromium, type PipedPage } from "../support/pipedChromium.ts";
import { sampleFile } from "../support/sampleModel.ts";
import { serveFolder, type StaticServer } from "../support/staticServer.ts";

const JOB = 200_000; // ms: a whole job on a software adapter and a busy machine
const PICTURES = 30;
const KINDS = ["420.jpg", "rgb.png", "lossy.webp"];

let built: Built;
let server: StaticServer;
let browser: PipedChromium;
let folder: string;
let files: string[];

beforeAll(async () => {
  built = await buildDemo();
  server = await serveFolder(built.folder, "");
  browser = await launchPiped();
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-hidden-"));
  const write = (name: string, bytes: Uint8Array): string => {
    writeFileSync(join(folder, name), bytes);
    return join(folder, name);
  };
  files = Array.from({ length: PICTURES }, (_, index) => {
    const kind = KINDS[index % KINDS.length]!;
    return write(`${index}-${kind}`, pictureFile(kind));
  });
  files.push(write("model.onnx", sampleFile()));
});

afterAll(async () => {
  await browser?.[Symbol.asyncDispose]();
  await server?.[Symbol.asyncDispose]();
  await built?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** A page with a job under way, after its first pictures. */
async function started(): Promise<PipedPage> {
  const page = await browser.open(server.origin);
  await page.until(`document.querySelector("#run-sample:enabled")`, JOB);
  const { root } = (await page.send("DOM.getDocument")) as { root: { nodeId: number } };
  const found = await page.send("DOM.querySelector", { nodeId: root.nodeId, selector: "#files" });
  await page.send("DOM.setFileInputFiles", { files, nodeId: found["nodeId"] });
  await page.until(`document.querySelector("#run-own:enabled")`, JOB);
  await page.evaluate(`document.querySelector("#run-own").click()`);
  await page.until(`document.querySelector("#bar[value]")`, JOB);
  return page;
}

/** The file that the job gives. */
async function fileOf(page: PipedPage): Promise<Buffer> {
  await page.until(`document.querySelector("#result:not([hidden]) #figures")`, JOB);
  await page.evaluate(`document.querySelector("#download").click()`);
  for (;;) {
    const name = readdirSync(browser.downloads).find((one) => one.endsWith(".onnx"));
    if (name !== undefined) {
      const path = join(browser.downloads, name);
      const bytes = readFileSync(path);
      rmSync(path); // the next one may take its name
      return bytes;
    }
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

it("a job on a page that is hidden and frozen meanwhile gives the same file", async () => {
  const undisturbed = await fileOf(await started());
  const page = await started();
  await page.evaluate(`
    globalThis.seen = [];
    for (const name of ["visibilitychange", "freeze", "resume"])
      document.addEventListener(name, () => seen.push(name + " " + document.visibilityState));
  `);
  const other = await browser.open("about:blank");
  await other.show();
  await page.until(`document.visibilityState === "hidden"`, JOB);
  await page.send("Page.setWebLifecycleState", { state: "frozen" });
  await new Promise((resolve) => setTimeout(resolve, 2000));
  await page.send("Page.setWebLifecycleState", { state: "active" });
  await page.show();
  const file = await fileOf(page);
  const seen = await page.evaluate<string[]>("seen");
  expect(seen.join(", ")).toMatch(
    /visibilitychange hidden.*freeze hidden.*resume.*visibilitychange visible/,
  );
  expect(file.equals(undisturbed)).toBe(true);
});
