// `npm run bench`: bundle the bench and run it. dist-bench/bench.mjs is one file that needs Node and the
// npm package `webgpu`, nothing else, so with --node it also runs on a machine without a checkout.
// dist-bench/page is what it shows to headless Chromium, where the peers are.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./build.mjs";
import { buildPeers } from "./peers.mjs";
import { setup } from "./setup.mjs";

const external = ["webgpu", "playwright", "onnxruntime-node"];
const common = { configFile: false, root, logLevel: "warn" };

const { env } = await setup();
await build({
  ...common,
  build: {
    outDir: "dist-bench",
    emptyOutDir: true,
    ssr: "bench/main.ts",
    target: "es2022",
    rollupOptions: {
      external,
      output: { entryFileNames: "bench.mjs", codeSplitting: false },
    },
  },
  ssr: { noExternal: true, external },
});
await build({
  ...common,
  build: {
    outDir: "dist-bench/page",
    emptyOutDir: true,
    target: "es2022",
    lib: { entry: "bench/browser/page.ts", formats: ["es"], fileName: () => "page.js" },
  },
});
await buildPeers("dist-bench/page");
const bench = join(root, "dist-bench", "bench.mjs");
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exit(status ?? 1);
