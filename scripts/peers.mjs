// Optional peers of the bench: each is bundled for its page where its packages are installed, as FOLDER/BUNDLE.js
// of bench/browser/BUNDLE.mjs. The page says of the others how to install them.

import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "vite";
import { root } from "./build.mjs";

const PEERS = [
  { bundle: "jaxJs", packages: ["@jax-js/onnx", "@jax-js/jax"] },
  { bundle: "jaxTraining", packages: ["@jax-js/jax"] },
  { bundle: "tensorflow", packages: ["@tensorflow/tfjs", "@tensorflow/tfjs-backend-webgpu"] },
];

/** Bundle those that are installed into `outDir`. */
export async function buildPeers(outDir) {
  for (const { bundle, packages } of PEERS) {
    if (!packages.every((name) => existsSync(join(root, "node_modules", name)))) continue;
    await build({
      configFile: false,
      root,
      logLevel: "error",
      build: {
        outDir,
        emptyOutDir: false,
        target: "es2022",
        lib: {
          entry: `bench/browser/${bundle}.mjs`,
          formats: ["es"],
          fileName: () => `${bundle}.js`,
        },
        rollupOptions: { output: { codeSplitting: false } },
      },
    });
  }
}
