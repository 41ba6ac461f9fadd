// `npm run bench`: bundle bench/steps.ts into one file, dist-bench/bench.mjs, and run it. The bundle
// needs Node and the npm package `webgpu`, nothing else, so it also runs on a machine without a checkout.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./build.mjs";
import { setup } from "./setup.mjs";

const { env } = await setup();
await build({
  configFile: false,
  root,
  logLevel: "warn",
  build: {
    outDir: "dist-bench",
    ssr: "bench/steps.ts",
    target: "es2022",
    rollupOptions: { external: ["webgpu"], output: { entryFileNames: "bench.mjs" } },
  },
  ssr: { noExternal: true, external: ["webgpu"] },
});
const bench = join(root, "dist-bench", "bench.mjs");
const { status } = spawnSync(process.execPath, [bench, ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exit(status ?? 1);
