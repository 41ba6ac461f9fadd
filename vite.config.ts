// One configuration for everything: the library (six entries), the command line (`cli`, and `start`,
// which only a checkout has: package.json leaves it out of the package), the demo page (dev server and
// `--mode demo`), and the tests, sorted by what they need (docs/architecture.md).
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const external = [/^node:/, /^@bufbuild\//, /^@jsquash\/.*\.js$/, "fflate", "webgpu", "playwright"];

/** The built page runs under a strict policy; the dev server's own inline scripts would break it. */
const policy =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; " +
  "img-src 'self' blob: data:; connect-src 'self'; worker-src 'self'";

const contentSecurityPolicy: Plugin = {
  name: "content-security-policy",
  apply: "build",
  transformIndexHtml: () => [
    {
      tag: "meta",
      attrs: { "http-equiv": "Content-Security-Policy", content: policy },
      injectTo: "head-prepend",
    },
  ],
};

export default defineConfig(({ mode, command }) => ({
  root: mode === "demo" || (command === "serve" && mode === "development") ? "demo" : ".",
  base: "./",
  plugins: mode === "demo" ? [contentSecurityPolicy] : [],
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
              job: "src/job.ts",
              client: "src/workerClient.ts",
              cli: "src/cli/main.ts",
              start: "src/cli/start.ts",
            },
            formats: ["es"],
          },
          rollupOptions: { external },
        },
  worker: { format: "es" },
  test: {
    projects: [
      { test: { name: "null", testTimeout: 30_000, include: ["test/null/**/*.test.ts"] } },
      {
        test: {
          name: "gpu",
          include: ["test/gpu/**/*.test.ts"],
          testTimeout: 240_000,
          maxWorkers: 2, // compiling kernels keeps one core busy, not two
          pool: "forks",
        },
      },
      {
        test: {
          name: "cases",
          include: ["test/cases/**/*.test.ts"],
          testTimeout: 240_000,
          pool: "forks",
        },
      },
      {
        test: {
          name: "onnx",
          include: ["test/onnx/**/*.test.ts"],
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
          name: "perf",
          include: ["test/perf/**/*.test.ts"],
          testTimeout: 1_800_000,
          hookTimeout: 1_800_000,
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
