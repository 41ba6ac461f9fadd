// Fails where src/gpu/shaders.gen.ts is not what the shaders generate.

import { readFileSync } from "node:fs";
import { generate } from "./reflectShaders.mjs";

const committed = readFileSync(new URL("../src/gpu/shaders.gen.ts", import.meta.url), "utf8");
if (committed !== generate()) {
  console.error("src/gpu/shaders.gen.ts is not up to date. Run: npm run shaders");
  process.exit(1);
}
