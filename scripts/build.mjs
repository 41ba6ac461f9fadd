// Builds dist/ where it is missing or older than what it is made of.

import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = fileURLToPath(new URL("..", import.meta.url));

const SOURCES = ["src", "shaders", "demo/sample", "vite.config.ts", "package-lock.json"];

/** The latest change of a file, or of the files in a folder; ms since 1970. */
function changed(path) {
  const file = statSync(path);
  if (!file.isDirectory()) return file.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => changed(join(path, name))));
}

/** True where dist/ is there and newer than its sources. */
export function isBuilt() {
  const built = join(root, "dist", "start.js");
  if (!existsSync(built)) return false;
  return SOURCES.every((source) => changed(join(root, source)) <= statSync(built).mtimeMs);
}

/** Build the library and the command line (not the types). Throws an Error where that fails. */
export function build() {
  if (isBuilt()) return;
  const vite = join(root, "node_modules", "vite", "bin", "vite.js");
  const { status, stdout, stderr } = spawnSync(process.execPath, [vite, "build"], {
    cwd: root,
    encoding: "utf8",
  });
  if (status === 0) return;
  throw new Error(`build: vite build failed.\n${stdout}${stderr}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  try {
    build();
  } catch (error) {
    console.error(error.message);
    process.exit(1);
  }
}
