// `node scripts/run.mjs FILE.ts [ARGUMENTS]`: bundle a TypeScript file of the repository and call the `main` that
// it exports, with the arguments. Node 20 runs no TypeScript by itself.

import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { build } from "vite";
import { root } from "./build.mjs";
import { setup } from "./setup.mjs";

const [entry, ...rest] = process.argv.slice(2);
if (entry === undefined) {
  console.error("usage: node scripts/run.mjs FILE.ts [ARGUMENTS]");
  process.exit(2);
}
const external = ["webgpu", "playwright"];
const name = basename(entry, ".ts");
const { env } = await setup();
await build({
  configFile: false,
  root,
  logLevel: "warn",
  build: {
    outDir: `out/run/${name}`,
    emptyOutDir: true,
    ssr: entry,
    target: "es2022",
    rollupOptions: { external, output: { entryFileNames: "main.mjs" } },
  },
  ssr: { noExternal: true, external },
});
const file = pathToFileURL(join(root, "out", "run", name, "main.mjs")).href;
const call = `const { main } = await import(${JSON.stringify(file)}); await main(...process.argv.slice(1)); process.exit(0);`;
const { status } = spawnSync(process.execPath, ["--input-type=module", "-e", call, "--", ...rest], {
  env,
  stdio: "inherit",
});
process.exit(status ?? 1);
