// Python text → tokens: names, numbers, strings, punctuation, and the ends and indents of logical
// lines. Line breaks inside brackets do not count.

import { damaged } from "../limits.ts";

export interface Token {
  readonly kind: "name" | "number" | "string" | "punctuation" | "newline" | "indent" | "dedent";
  readonly text: string;
  readonly line: number;
}

const WORD = /[A-Za-z_][A-Za-z_0-9]*/y;
const NUMBER = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y;
const BLANK = /[ \t]+/y;
const PUNCTUATION = /->|==|!=|<=|>=|[-+*/%.,:;()[\]{}=<>@|&~^]/y;

const ESCAPES: Readonly<Record<string, string>> = {
  n: "\n",
  t: "\t",
  r: "\r",
  a: "\x07",
  b: "\b",
  f: "\f",
  v: "\v",
  "\\": "\\",
  "'": "'",
  '"': '"',
};

/** Tokens of `lines`, the first of which is line `first` of `file`. Throws FormatError. */
export function tokenize(lines: readonly string[], first: number, file: string): Token[] {
  const tokens: Token[] = [];
  const indents = [indentOf(lines[0] ?? "")];
  let depth = 0;
  lines.forEach((text, index) => {
    const line = first + index;
    const fail = (problem: string) => damaged(`${file}, line ${line}: ${problem}`);
    let at = 0;
    if (depth === 0) {
      const indent = indentOf(text);
      if (text.trim() === "" || text[indent] === "#") return;
      while (indent < (indents.at(-1) ?? 0)) {
        indents.pop();
        tokens.push({ kind: "dedent", text: "", line });
      }
      if (indent > (indents.at(-1) ?? 0)) {
        indents.push(indent);
        tokens.push({ kind: "indent", text: "", line });
      }
      at = indent;
    }
    const match = (pattern: RegExp) => {
      pattern.lastIndex = at;
      return pattern.exec(text)?.[0];
    };
    while (at < text.length) {
      const blank = match(BLANK);
      if (blank) {
        at += blank.length;
        continue;
      }
      const char = text[at] ?? "";
      if (char === "#") break;
      if (char === '"' || char === "'") {
        const { value, end } = readString(text, at, fail);
        tokens.push({ kind: "string", text: value, line });
        at = end;
        continue;
      }
      const word = match(WORD);
      const number = word === undefined ? match(NUMBER) : undefined;
      const found = word ?? number ?? match(PUNCTUATION);
      if (found === undefined) throw fail(`"${char}" is not expected here`);
      const kind = word !== undefined ? "name" : number !== undefined ? "number" : "punctuation";
      if (kind === "punctuation") {
        if ("([{".includes(found)) depth++;
        if (")]}".includes(found)) depth--;
      }
      tokens.push({ kind, text: found, line });
      at += found.length;
    }
    if (depth === 0) tokens.push({ kind: "newline", text: "", line });
    if (depth < 0) throw fail("a bracket closes that was not opened");
  });
  if (depth > 0) throw damaged(`${file}, line ${first}: a bracket is not closed`);
  for (let open = indents.length; open > 1; open--) {
    tokens.push({ kind: "dedent", text: "", line: first + lines.length });
  }
  return tokens;
}

const indentOf = (text: string): number => text.length - text.trimStart().length;

function readString(text: string, start: number, fail: (problem: string) => Error) {
  const quote = text[start];
  let value = "";
  for (let at = start + 1; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === quote) return { value, end: at + 1 };
    if (char !== "\\") {
      value += char;
      continue;
    }
    const code = /^(?:x([0-9a-fA-F]{2})|([0-7]{3}))/.exec(text.slice(at + 1, at + 4));
    if (code) {
      value += String.fromCharCode(code[1] ? parseInt(code[1], 16) : parseInt(code[2] ?? "0", 8));
      at += 3;
      continue;
    }
    const next = text[at + 1] ?? "";
    value += ESCAPES[next] ?? `\\${next}`;
    at++;
  }
  throw fail("a string is not closed");
}
