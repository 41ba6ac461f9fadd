// The code of an archive: which file defines which class and function. Texts are cut into functions by
// their indentation, and a function is parsed when it is first called: most never are.

import { damaged, TORCH_LIMITS } from "../limits.ts";
import type { Zip } from "../../zip/zip.ts";
import { parseFunction } from "./parse.ts";
import type { FunctionTree } from "./syntax.ts";

const MODULE = /^code\/(.+)\.py$/;
const CALL = /(?<![\w.])(?:torch|ops)\.[\w.]+(?=\()/g;

interface Text {
  readonly lines: readonly string[];
  readonly first: number;
  tree?: FunctionTree;
}

interface SourceFile {
  readonly path: string;
  /** By name, and by "Class.method". */
  readonly functions: ReadonlyMap<string, Text>;
  /** Classes that are named tuples. */
  readonly tuples: ReadonlySet<string>;
}

export class Library {
  readonly #zip: Zip;
  readonly #root: string;
  readonly #files = new Map<string, SourceFile>();
  #bytes = 0;

  constructor(zip: Zip, root: string) {
    this.#zip = zip;
    this.#root = root;
  }

  /** Method `name` of class `type` ("__torch__.a.b.Class"), undefined where it has none. */
  method(type: string, name: string): FunctionTree | undefined {
    const { module, last } = split(type);
    return this.#find(module, `${last}.${name}`);
  }

  /** The function of qualified name `path` ("__torch__.a.b.f"), undefined where there is none. */
  function(path: string): FunctionTree | undefined {
    const { module, last } = split(path);
    return this.#find(module, last);
  }

  /** True where `path` is a class of named tuples: its call makes a tuple. */
  isNamedTuple(path: string): boolean {
    const { module, last } = split(path);
    return this.#file(module)?.tuples.has(last) === true;
  }

  /** Every op that the code calls, by name, at its first place; methods that no run reaches included. */
  calls(): Map<string, { readonly file: string; readonly line: number }> {
    const found = new Map<string, { readonly file: string; readonly line: number }>();
    for (const name of this.#zip.names) {
      const module = MODULE.exec(name.slice(this.#root.length))?.[1];
      if (module === undefined || !name.startsWith(this.#root)) continue;
      const file = this.#file(module.replaceAll("/", "."));
      for (const { lines, first } of file?.functions.values() ?? []) {
        lines.forEach((line, at) => {
          for (const [op] of line.matchAll(CALL)) {
            if (!found.has(op)) found.set(op, { file: file?.path ?? "", line: first + at });
          }
        });
      }
    }
    return found;
  }

  #find(module: string, name: string): FunctionTree | undefined {
    const file = this.#file(module);
    const text = file?.functions.get(name);
    if (!file || !text) return undefined;
    text.tree ??= parseFunction(text.lines, text.first, file.path);
    return text.tree;
  }

  #file(module: string): SourceFile | undefined {
    const known = this.#files.get(module);
    if (known) return known;
    const path = `code/${module.replaceAll(".", "/")}.py`;
    const bytes = this.#zip.get(`${this.#root}${path}`);
    if (!bytes) return undefined;
    this.#bytes += bytes.length;
    if (this.#bytes > TORCH_LIMITS.codeBytes) {
      throw damaged(`its code has more than ${TORCH_LIMITS.codeBytes} bytes`);
    }
    const lines = new TextDecoder().decode(bytes).split(/\r?\n/);
    const tuples = lines.flatMap((line) => /^class (\w+)\(NamedTuple\)/.exec(line)?.[1] ?? []);
    const file = { path, functions: cut(lines), tuples: new Set(tuples) };
    this.#files.set(module, file);
    return file;
  }
}

function split(path: string): { module: string; last: string } {
  const at = path.lastIndexOf(".");
  return { module: path.slice(0, at), last: path.slice(at + 1) };
}

/** The functions of a file: a text runs to the next line that is indented as little as its `def`. */
function cut(lines: readonly string[]): Map<string, Text> {
  const functions = new Map<string, Text>();
  let owner = "";
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at] ?? "";
    const type = /^class (\w+)/.exec(line)?.[1];
    if (type !== undefined) owner = `${type}.`;
    const [, indent = "", name] = /^( {2})?def (\w+)/.exec(line) ?? [];
    if (name === undefined) continue;
    if (indent === "") owner = "";
    let end = at + 1;
    while (end < lines.length && isInside(lines[end] ?? "", indent.length)) end++;
    const text = { lines: lines.slice(at, end), first: at + 1 };
    functions.set(`${owner}${name}`, text);
    at = end - 1;
  }
  return functions;
}

const isInside = (line: string, indent: number): boolean =>
  line.trim() === "" || line.length - line.trimStart().length > indent;
