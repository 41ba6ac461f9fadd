#!/usr/bin/env node
// The command `webgpu-quant`: runs the built command line, src/cli/main.ts. In a checkout that was never
// built there is none, and this file says what to do.

import { existsSync } from "node:fs";

const built = new URL("../dist/cli.js", import.meta.url);
if (existsSync(built)) {
  await import(built.href);
} else {
  console.error("webgpu-quant: dist/cli.js is missing. Build it once: npm run build");
  process.exit(1);
}
