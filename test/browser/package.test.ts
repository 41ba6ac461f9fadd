// The package as an application installs it: a page with a worker of one line, in a production build and on a
// dev server that bundles dependencies ahead.

import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Browser, Page } from "playwright";
import { build, createServer, type ViteDevServer } from "vite";
import { fileOf, readable } from "../null/pictures/fixtures.ts";
import { launchChromium } from "../support/chromium.ts";
import { serveFolder } from "../support/staticServer.ts";

const root = join(import.meta.dirname, "../..");

const FILES: Readonly<Record<string, string>> = {
  "index.html":
    '<!doctype html><title>app</title><link rel="icon" href="data:," /><script type="module" src="./main.ts"></script>',
  "worker.ts": 'import "webgpu-quant/worker";\n',
  "empty.ts": "export {};\n",
  "main.ts": `
    import { WorkerClient } from "webgpu-quant/client";
    import { decodePicture } from "webgpu-quant/pictures";
    const start = {
      real: () => new Worker(new URL("./worker.ts", import.meta.url), { type: "module" }),
      empty: () => new Worker(new URL("./empty.ts", import.meta.url), { type: "module" }),
    };
    globalThis.app = {
      async status(name, timeout) {
        const client = new WorkerClient(start[name](), { timeout });
        const got = await client.status().then(
          ({ adapter }) => adapter.isFallback ? "software" : "hardware",
          (error) => error.message,
        );
        client.dispose();
        return got;
      },
      async decode(bytes) {
        const { data } = await decodePicture(Uint8Array.from(bytes), "a");
        return Array.from(data);
      },
    };
  `,
};

let folder: string;
let browser: Browser;

beforeAll(async () => {
  const built = (await import(new URL("../../scripts/build.mjs", import.meta.url).href)) as {
    build(): void;
  };
  built.build();
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-app-"));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(folder, name), text);
  const modules = join(folder, "node_modules");
  mkdirSync(join(modules, "webgpu-quant"), { recursive: true });
  cpSync(join(root, "dist"), join(modules, "webgpu-quant", "dist"), { recursive: true });
  cpSync(join(root, "package.json"), join(modules, "webgpu-quant", "package.json"));
  for (const name of ["@bufbuild", "@jsquash", "fflate"])
    symlinkSync(join(root, "node_modules", name), join(modules, name));
  browser = await launchChromium();
});

afterAll(async () => {
  await browser?.close();
  rmSync(folder, { recursive: true, force: true });
});

/** A call of the page's `app`. */
const call = <T>(page: Page, text: string): Promise<T> => page.evaluate(`app.${text}`);

/** What an installed package does in any app: its worker answers, and its decoders find their code. */
async function expectWorks(origin: string): Promise<void> {
  const page = await browser.newPage();
  try {
    await page.goto(origin);
    await page.waitForFunction("globalThis.app");
    expect(await call(page, 'status("real", 60000)')).toBe("software");
    for (const name of ["420.jpg", "lossy.webp", "rgb.png"]) {
      const { picture } = readable.find((one) => one.name === name)!;
      const got = await call<number[]>(page, `decode([${[...fileOf(name)].join()}])`);
      expect(got, name).toEqual([...picture.data]);
    }
  } finally {
    await page.close();
  }
}

describe("an app that installed the package", () => {
  it("works in a production build, and a worker without the library is told in time", async () => {
    const outDir = join(folder, "out");
    await build({
      root: folder,
      configFile: false,
      logLevel: "error",
      base: "./",
      build: { outDir },
      worker: { format: "es" },
    });
    await using server = await serveFolder(outDir, "");
    await expectWorks(server.origin);
    const page = await browser.newPage();
    await page.goto(server.origin);
    await page.waitForFunction("globalThis.app");
    expect(await call(page, 'status("empty", 500)')).toContain("did not answer within 0.5 s");
    await page.close();
  });

  it("works on a dev server that bundles dependencies ahead", async () => {
    const server: ViteDevServer = await createServer({
      root: folder,
      configFile: false,
      logLevel: "error",
      cacheDir: join(folder, "cache"),
      server: { host: "127.0.0.1", port: 0, fs: { strict: false } },
      optimizeDeps: {
        include: ["webgpu-quant/client", "webgpu-quant/pictures", "webgpu-quant/worker"],
      },
    });
    try {
      await server.listen();
      const address = server.httpServer?.address();
      if (!address || typeof address === "string") throw new Error("no port");
      await expectWorks(`http://127.0.0.1:${address.port}`);
    } finally {
      await server.close();
    }
  });
});
