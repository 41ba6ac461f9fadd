// `npm run train:sample -- [OUT.onnx]`: bundle demo/sample/train.ts and run it.

import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./build.mjs";
import { setup } from "./setup.mjs";

const external = ["webgpu"];
const { env } = await setup();
await build({
  configFile: false,
  root,
  logLevel: "warn",
  build: {
    outDir: "out/train",
    emptyOutDir: true,
    ssr: "demo/sample/train.ts",
    target: "es2022",
    rollupOptions: { external, output: { entryFileNames: "train.mjs" } },
  },
  ssr: { noExternal: true, external },
});
const script = join(root, "out", "train", "train.mjs");
const { status } = spawnSync(process.execPath, [script, ...process.argv.slice(2)], {
  env,
  stdio: "inherit",
});
process.exit(status ?? 1);
