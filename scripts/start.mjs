// `npm start`: set up, build where needed, then run the main job on the sample (src/cli/start.ts).

import { spawn } from "node:child_process";
import { join } from "node:path";
import { build, root } from "./build.mjs";
import { setup } from "./setup.mjs";

try {
  const { env } = await setup();
  build();
  const job = spawn(process.execPath, [join(root, "dist", "start.js")], { env, stdio: "inherit" });
  for (const signal of ["SIGINT", "SIGTERM"]) process.on(signal, () => job.kill(signal));
  job.on("exit", (status) => process.exit(status ?? 1));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
