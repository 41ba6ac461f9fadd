// `npm test`: set up, the quick checks, the build, then all tests, from those that need nothing to those
// that need whole models. One idea: everything runs even after a failure, and the last line adds it up.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, root } from "./build.mjs";
import { setup } from "./setup.mjs";

const PROJECTS = ["null", "gpu", "onnx", "cases", "browser", "model"];
const bin = (name, file) => join(root, "node_modules", name, file);
const CHECKS = [
  ["lint", bin("oxlint", "bin/oxlint"), []],
  ["format", bin("prettier", "bin/prettier.cjs"), ["--check", "--log-level", "warn", "."]],
  ["types", bin("typescript", "bin/tsc"), ["-p", "tsconfig.json"]],
  ["shaders", join(root, "scripts", "checkShaders.mjs"), []],
];

const running = new Set();
for (const signal of ["SIGINT", "SIGTERM"]) {
  process.on(signal, () => {
    for (const child of running) child.kill(signal);
    process.exit(130);
  });
}

/** Run a script of Node; resolves with its exit status. */
function node(script, args, env) {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [script, ...args], { cwd: root, env, stdio: "inherit" });
    running.add(child);
    child.on("close", (status) => {
      running.delete(child);
      resolve(status ?? 1);
    });
  });
}

/** Tests passed, failed and skipped in a report of vitest's JSON reporter. */
function count(file, status) {
  let report;
  try {
    report = JSON.parse(readFileSync(file, "utf8"));
  } catch {
    return { passed: 0, failed: 1, skipped: 0 }; // vitest itself failed before it wrote a report
  }
  const broken = report.testResults.filter(
    (suite) =>
      suite.status === "failed" &&
      suite.assertionResults.every(({ status }) => status !== "failed"),
  );
  const failed = report.numFailedTests + broken.length;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && status !== 0 ? 1 : failed, // such as an unhandled rejection
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

const total = { passed: 0, failed: 0, skipped: 0 };
const reports = mkdtempSync(join(tmpdir(), "webgpu-quant-"));
const trouble = [];

/** A check counts as one failed test; one that passes is not counted. */
function fail(check) {
  trouble.push(check);
  total.failed++;
}

try {
  const { env } = await setup();
  for (const [name, script, args] of CHECKS) {
    const status = await node(script, args, env);
    if (status !== 0) fail(name);
    console.log(`${name}: ${status === 0 ? "ok" : "failed"}`);
  }
  build();
  const vitest = bin("vitest", "vitest.mjs");
  for (const project of PROJECTS) {
    const file = join(reports, `${project}.json`);
    const options = ["--reporter=default", "--reporter=json", `--outputFile.json=${file}`];
    const status = await node(vitest, ["run", "--project", project, ...options], env);
    const counts = count(file, status);
    if (counts.failed > 0) trouble.push(`test/${project}`);
    for (const kind of Object.keys(total)) total[kind] += counts[kind];
  }
} catch (error) {
  console.error(error.message);
  fail(error.message.split(":")[0]); // setup or build
}
rmSync(reports, { recursive: true, force: true });
if (trouble.length > 0) console.log(`\nFailed: ${trouble.join(", ")}`);
console.log(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped`);
process.exit(trouble.length > 0 ? 1 : 0);
