// Builds for browser tests, into a folder that goes away with the test.

import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build } from "vite";

const root = join(import.meta.dirname, "../..");

export interface Built extends AsyncDisposable {
  readonly folder: string;
}

async function into(work: (folder: string) => Promise<unknown>): Promise<Built> {
  const folder = await mkdtemp(join(tmpdir(), "webgpu-quant-"));
  await work(folder);
  return {
    folder,
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The demo page, as `vite build --mode demo` makes it. */
export function buildDemo(): Promise<Built> {
  return into((outDir) =>
    build({
      configFile: join(root, "vite.config.ts"),
      mode: "demo",
      logLevel: "error",
      build: { outDir, emptyOutDir: true },
    }),
  );
}

/** Modules with all that they import, minified as an application would have them: { NAME: source } makes
 *  /NAME.js. */
export function buildModules(modules: Readonly<Record<string, string>>): Promise<Built> {
  const entry = Object.fromEntries(
    Object.entries(modules).map(([name, source]) => [name, join(root, source)]),
  );
  return into((outDir) =>
    build({
      configFile: false,
      root,
      logLevel: "error",
      build: {
        outDir,
        emptyOutDir: true,
        target: "es2022",
        minify: true,
        lib: { entry, formats: ["es"], fileName: (_, name) => `${name}.js` },
      },
    }),
  );
}
