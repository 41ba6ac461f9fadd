// One configuration for everything: the library (four entries), the demo page (dev server and
// `--mode demo`), and the tests, sorted by what they need (docs/architecture.md).
import { defineConfig } from "vitest/config";

const external = [/^node:/, /^@bufbuild\//, /^@jsquash\//, "jpeg-js", "webgpu", "playwright"];

export default defineConfig(({ mode, command }) => ({
  root: mode === "demo" || (command === "serve" && mode === "development") ? "demo" : ".",
  base: "./",
  build:
    mode === "demo"
      ? { outDir: "../dist-demo", emptyOutDir: true, target: "es2022" }
      : {
          target: "es2022",
          minify: false,
          lib: {
            entry: {
              index: "src/index.ts",
              node: "src/node.ts",
              worker: "src/worker.ts",
              pictures: "src/pictures.ts",
              cli: "src/cli/main.ts",
            },
            formats: ["es"],
          },
          rollupOptions: { external },
        },
  worker: { format: "es" },
  test: {
    projects: [
      { test: { name: "null", include: ["test/null/**/*.test.ts"] } },
      {
        test: {
          name: "gpu",
          include: ["test/gpu/**/*.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
          pool: "forks",
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: "model",
          include: ["test/model/**/*.test.ts"],
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
          pool: "forks",
        },
      },
    ],
  },
}));
