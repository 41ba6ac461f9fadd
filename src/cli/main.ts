// The process: built to dist/cli.js, which bin/webgpu-quant.js imports. One idea: Dawn keeps Node alive,
// so the process ends itself, after everything is written.

import { cli } from "./cli.ts";
import { finish, interruptible } from "./process.ts";

const { stdout, stderr } = process;
const status = await cli(process.argv.slice(2), {
  stdout,
  stderr,
  signal: interruptible(),
  debug: Boolean(process.env["DEBUG"]),
});
await finish(status);
