// The built library makes no code at run time: pages that forbid it can use every part of it.

import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildDemo, buildModules, type Built } from "../support/build.ts";

let library: Built;
let demo: Built;

beforeAll(async () => {
  library = await buildModules({
    index: "src/index.ts",
    worker: "src/worker.ts",
    pictures: "src/pictures.ts",
  });
  demo = await buildDemo();
});

afterAll(async () => {
  await library?.[Symbol.asyncDispose]();
  await demo?.[Symbol.asyncDispose]();
});

/** eval(…), (0, eval)(…), new Function(…) and Function(…), not as the end of a longer name or a method. */
const MAKES_CODE = /(?<![\w$.])(eval\s*\)?|Function)\s*\(/g;

const scriptsOf = ({ folder }: Built) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".js"))
    .map((name) => ({ name, code: readFileSync(join(folder, name), "utf8") }));

describe("the strict content security policy", () => {
  it("is not vacuous: the search finds what it looks for", () => {
    const bad = 'eval("1"); new Function("a", "b"); Function("c"); (0,eval)("d")';
    expect(bad.match(MAKES_CODE)).toEqual(["eval(", "Function(", "Function(", "eval)("]);
    expect("medieval(1); isFunction(x); a.eval(1)".match(MAKES_CODE)).toBeNull();
  });

  it("holds for the library, its worker and its picture decoders, all imports included", () => {
    const scripts = scriptsOf(library);
    expect(scripts.map(({ name }) => name)).toEqual(
      expect.arrayContaining(["index.js", "worker.js", "pictures.js"]),
    );
    const found = scripts.map(({ name, code }) => [name, code.match(MAKES_CODE)]);
    expect(found.filter(([, matches]) => matches !== null)).toEqual([]);
  });

  it("holds for the page's scripts, and the page asks for it", () => {
    const found = scriptsOf(demo).map(({ name, code }) => [name, code.match(MAKES_CODE)]);
    expect(found.filter(([, matches]) => matches !== null)).toEqual([]);
    const page = readFileSync(join(demo.folder, "index.html"), "utf8");
    expect(page).toContain('http-equiv="Content-Security-Policy"');
    expect(page).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });
});
