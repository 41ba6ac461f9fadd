// Imports go one way: the table of docs/architecture.md is read and enforced, together with "no
// cycles" and the size of a file.

import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

interface Import {
  readonly from: string;
  readonly to: string;
  readonly isType: boolean;
}

/** All TypeScript files under `folder`, as paths from the repository's root. */
function filesUnder(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesUnder(path);
    return entry.name.endsWith(".ts") && !entry.name.endsWith(".d.ts") ? [path] : [];
  });
}

/** `import … from "./x.ts"`, `export … from`, `import("./x.ts")`, `new URL("./x.ts", import.meta.url)`;
 *  packages and shaders' raw text are not files of src. */
function importsOf(from: string): Import[] {
  const code = readFileSync(join(root, from), "utf8").replace(/^\s*(\/\/|\*|\/\*).*$/gm, "");
  const pattern =
    /(?:^|\n)\s*(?:import|export)(\s+type\b)?[^;"']*?from\s*"(\.[^"]+)"|(?:import|URL)\(\s*"(\.[^"]+)"/g;
  return [...code.matchAll(pattern)].flatMap(([, type, fixed, dynamic]) => {
    const target = fixed ?? dynamic ?? "";
    if (!target.endsWith(".ts")) return [];
    return [{ from, to: normalize(join(dirname(from), target)), isType: type !== undefined }];
  });
}

/** The room of a file: the folder below src, `errors`, or `verbs` for src/*.ts. */
function roomOf(file: string): string {
  if (file === "src/errors.ts") return "errors";
  if (file.startsWith("demo/sample/")) return "sample";
  const [, room, inner] = file.split("/");
  return inner === undefined ? "verbs" : (room ?? "");
}

/** The rows of the markdown table `| room | may import | … |`. */
function readTable(markdown: string): Map<string, Set<string>> {
  const lines = markdown.split("\n");
  const start = lines.findIndex((line) => /^\|\s*room\s*\|\s*may import\s*\|/.test(line));
  const rows = new Map<string, Set<string>>();
  for (const line of lines.slice(start + 2)) {
    if (start < 0 || !line.startsWith("|")) break;
    const [, room = "", allowed = ""] = line.split("|").map((cell) => cell.trim());
    const names = allowed.split(",").map((name) => name.trim());
    rows.set(room, new Set(names.filter((name) => /^[a-z ]+$/.test(name))));
  }
  return rows;
}

const table = readTable(readFileSync(join(root, "docs/architecture.md"), "utf8"));
const files = filesUnder("src");
const imports = files.flatMap(importsOf);

function isAllowed({ from, to, isType }: Import): boolean {
  const [room, target] = [roomOf(from), roomOf(to)];
  const allowed = table.get(room);
  return (
    room === target ||
    allowed?.has(target) === true ||
    (isType && allowed?.has(`${target} types`) === true)
  );
}

describe("the import table of docs/architecture.md", () => {
  it("has a row for every room of src, and no other", () => {
    expect([...table.keys()].sort()).toEqual([...new Set(files.map(roomOf))].sort());
  });

  it("is kept by every import of src", () => {
    const wrong = imports.filter((each) => !isAllowed(each));
    expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
  });

  it("has no ring of rooms that import each other's values", () => {
    const edges = [...table].map(([room, allowed]) => [room, [...allowed]] as const);
    expect(findCycle(new Map(edges))).toBeUndefined();
  });

  it("would catch an import that goes up", () => {
    const up = { from: "src/graph/graph.ts", to: "src/plan/lower.ts", isType: false };
    expect(isAllowed(up)).toBe(false);
    const asValue = { from: "src/plan/plan.ts", to: "src/gpu/device.ts", isType: false };
    expect([isAllowed(asValue), isAllowed({ ...asValue, isType: true })]).toEqual([false, true]);
  });

  it("is not kept by reading nothing: imports of every kind are found", () => {
    expect(imports.length).toBeGreaterThan(files.length);
    expect(imports.some(({ isType }) => isType)).toBe(true);
    expect(imports.some(({ from }) => from === "src/index.ts")).toBe(true);
  });
});

/** A ring of nodes, if there is one; a node's own name among its edges is no ring. */
function findCycle(edges: ReadonlyMap<string, readonly string[]>): string[] | undefined {
  const done = new Set<string>();
  const visit = (node: string, path: readonly string[]): string[] | undefined => {
    if (path.includes(node)) return [...path.slice(path.indexOf(node)), node];
    if (done.has(node)) return undefined;
    for (const next of edges.get(node) ?? []) {
      const cycle = next === node ? undefined : visit(next, [...path, node]);
      if (cycle) return cycle;
    }
    done.add(node);
    return undefined;
  };
  for (const node of edges.keys()) {
    const cycle = visit(node, []);
    if (cycle) return cycle;
  }
  return undefined;
}

describe("files", () => {
  it("import each other in no cycle", () => {
    const edges = new Map(
      files.map((file) => [
        file,
        imports.filter(({ from, isType }) => from === file && !isType).map(({ to }) => to),
      ]),
    );
    expect(findCycle(edges)).toBeUndefined();
  });

  it("a cycle is found where there is one", () => {
    const ring = new Map([
      ["a", ["b"]],
      ["b", ["c", "b"]],
      ["c", ["b"]],
    ]);
    expect(findCycle(ring)).toEqual(["b", "c", "b"]);
  });

  it("have at most 400 lines, lists of cases in tests 600, generated ones excepted", () => {
    const sources = ["src", "test", "demo", "bench"].flatMap(filesUnder);
    const long = sources
      .filter((file) => !file.endsWith(".gen.ts"))
      .map((file) => [file, readFileSync(join(root, file), "utf8").split("\n").length - 1] as const)
      .filter(([file, lines]) => lines > (file.startsWith("test") ? 600 : 400));
    expect(long).toEqual([]);
  });

  it("of src open with a comment that says what they are for", () => {
    const silent = files.filter((file) => !/^\/\/ \S/.test(readFileSync(join(root, file), "utf8")));
    expect(silent).toEqual([]);
  });
});
