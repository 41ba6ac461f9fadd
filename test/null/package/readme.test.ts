// Type-checks every TypeScript block of the README and of docs/ as a user's file, in a stock strict project
// that has the published declarations and nothing else of this repository.

import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../..", import.meta.url));
const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
const PAGES = ["README.md", "docs/formats.md", "docs/tuning.md"];
const DEPENDENCIES = ["@bufbuild", "@jsquash", "fflate"]; // those that an install brings

/** create-vite's vanilla-ts template, with strict and with library checks. */
const CONFIG = {
  compilerOptions: {
    target: "es2023",
    module: "esnext",
    lib: ["ES2023", "DOM"],
    types: [],
    strict: true,
    skipLibCheck: false,
    moduleResolution: "bundler",
    moduleDetection: "force",
    verbatimModuleSyntax: true,
    noEmit: true,
  },
  include: ["src"],
};

/** What the blocks take from the reader's own program. */
const READERS = `
import type { CheckpointStore, Device, Model, Tensors, TrainingData } from "webgpu-quant";
import type { JobPicture } from "webgpu-quant/job";
declare global {
  const samples: AsyncIterable<Tensors>;
  const pixels: Float32Array;
  const data: TrainingData;
  const device: Device;
  const model: Model<"float">;
  const modelFile: Blob;
  const pictures: JobPicture[];
  const store: CheckpointStore;
  const signal: AbortSignal;
}
`;

interface Block {
  /** "README.md:42" */
  readonly place: string;
  readonly code: string;
}

/** Blocks fenced as \`\`\`ts, in their order. */
function blocksOf(page: string): Block[] {
  const text = readFileSync(join(root, page), "utf8");
  return [...text.matchAll(/^```ts\n(.*?)^```$/gms)].map((match) => ({
    place: `${page}:${text.slice(0, match.index).split("\n").length}`,
    code: match[1] ?? "",
  }));
}

let folder: string;

function run(args: readonly string[], cwd: string): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [tsc, ...args], {
    cwd,
    encoding: "utf8",
  });
  return status === 0 ? "" : `${stdout}${stderr}`;
}

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "webgpu-quant-readme-"));
  const installed = join(folder, "node_modules", "webgpu-quant");
  mkdirSync(installed, { recursive: true });
  const types = join(installed, "dist", "types");
  expect(run(["-p", "tsconfig.build.json", "--outDir", types], root)).toBe("");
  writeFileSync(join(installed, "package.json"), readFileSync(join(root, "package.json")));
  for (const name of DEPENDENCIES)
    symlinkSync(join(root, "node_modules", name), join(folder, "node_modules", name));
  mkdirSync(join(folder, "src"));
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(CONFIG));
  writeFileSync(join(folder, "src", "reader.d.ts"), READERS);
}, 300_000);

afterAll(() => rmSync(folder, { recursive: true, force: true }));

it("finds the blocks", () => {
  expect(blocksOf("README.md").length).toBeGreaterThan(5);
});

it("every block type-checks in a stock strict project, and a mistake would be found", () => {
  const places = PAGES.flatMap(blocksOf).map(({ place, code }, index) => {
    writeFileSync(join(folder, "src", `block${index}.ts`), code);
    return place;
  });
  writeFileSync(
    join(folder, "src", "mistake.ts"),
    'import { lode } from "webgpu-quant";\nlode();\n',
  );
  const errors = run(["-p", "."], folder).replace(
    /^src\/block(\d+)\.ts/gm,
    (_, index: string) => `${places[Number(index)]} block`,
  );
  expect(errors).toBe(
    "src/mistake.ts(1,10): error TS2305: Module '\"webgpu-quant\"' has no exported member 'lode'.\n",
  );
}, 300_000);
