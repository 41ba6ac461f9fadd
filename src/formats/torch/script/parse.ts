// Tokens → the tree of one function: recursive descent over what TorchScript's printer writes.

import { damaged, TORCH_LIMITS } from "../limits.ts";
import type { Expr, FunctionTree, Parameter, Statement } from "./syntax.ts";
import { tokenize, type Token } from "./tokens.ts";

const END: Token = { kind: "newline", text: "", line: 0 };
const KEYWORDS: ReadonlyMap<string, boolean | null> = new Map([
  ["True", true],
  ["False", false],
  ["None", null],
]);
/** Statements that this library does not run. */
const REFUSED = new Set([
  "for",
  "while",
  "with",
  "assert",
  "raise",
  "try",
  "break",
  "continue",
  "def",
]);

/** The function whose text is `lines`; its first line is line `first` of `file`. Throws FormatError
 *  with the line. */
export function parseFunction(lines: readonly string[], first: number, file: string): FunctionTree {
  return new Parser(tokenize(lines, first, file), file).function();
}

class Parser {
  readonly #tokens: readonly Token[];
  readonly #file: string;
  #at = 0;
  #depth = 0;

  constructor(tokens: readonly Token[], file: string) {
    this.#tokens = tokens;
    this.#file = file;
  }

  function(): FunctionTree {
    const { line } = this.#peek();
    this.#expect("def");
    const name = this.#name();
    const parameters = this.#parameters();
    if (this.#take("->")) this.#skipType([":"]);
    this.#expect(":");
    return { name, file: this.#file, line, parameters, body: this.#block() };
  }

  // — tokens ———————————————————————————————————————————————————————————————————————————————————————

  #peek(ahead = 0): Token {
    return this.#tokens[this.#at + ahead] ?? { ...END, line: this.#tokens.at(-1)?.line ?? 0 };
  }

  #fail(problem: string): Error {
    return damaged(`${this.#file}, line ${this.#peek().line}: ${problem}`);
  }

  /** Whether the next token is `text` as a word or punctuation (a string of that text is neither). */
  #is(text: string): boolean {
    const token = this.#peek();
    return (token.kind === "name" || token.kind === "punctuation") && token.text === text;
  }

  #take(text: string): boolean {
    if (!this.#is(text)) return false;
    this.#at++;
    return true;
  }

  #expect(text: string): void {
    if (this.#take(text)) return;
    throw this.#fail(`"${text}" is expected; got "${this.#peek().text || this.#peek().kind}"`);
  }

  #name(): string {
    const token = this.#peek();
    if (token.kind !== "name") throw this.#fail(`a name is expected; got "${token.text}"`);
    this.#at++;
    return token.text;
  }

  #newline(): void {
    if (this.#peek().kind !== "newline") throw this.#fail(`"${this.#peek().text}" is not expected`);
    this.#at++;
  }

  #nested<T>(read: () => T): T {
    this.#depth++;
    if (this.#depth > TORCH_LIMITS.nesting) {
      throw this.#fail(`code is nested more than ${TORCH_LIMITS.nesting} deep`);
    }
    const value = read();
    this.#depth--;
    return value;
  }

  /** Pass a type annotation, up to one of `ends` outside brackets. */
  #skipType(ends: readonly string[]): void {
    for (let depth = 0; ; this.#at++) {
      const { kind, text } = this.#peek();
      if (this.#at >= this.#tokens.length || kind === "newline") return;
      if (depth === 0 && kind === "punctuation" && ends.includes(text)) return;
      if (text === "[" || text === "(") depth++;
      if (text === "]" || text === ")") depth--;
    }
  }

  #parameters(): Parameter[] {
    const parameters: Parameter[] = [];
    this.#expect("(");
    while (!this.#take(")")) {
      const name = this.#name();
      if (this.#take(":")) this.#skipType([",", "=", ")"]);
      parameters.push({ name, value: this.#take("=") ? this.#expression() : undefined });
      if (!this.#is(")")) this.#expect(",");
    }
    return parameters;
  }

  // — statements ———————————————————————————————————————————————————————————————————————————————————

  #block(): Statement[] {
    this.#newline();
    if (this.#peek().kind !== "indent") return [];
    this.#at++;
    return this.#nested(() => {
      const statements: Statement[] = [];
      while (this.#at < this.#tokens.length && this.#peek().kind !== "dedent") {
        statements.push(this.#statement());
      }
      this.#at++;
      return statements;
    });
  }

  #statement(): Statement {
    const token = this.#peek();
    const { line } = token;
    if (token.kind === "name" && REFUSED.has(token.text)) {
      this.#skipStatement();
      return { kind: "refused", what: token.text, line };
    }
    if (this.#take("if")) {
      const test = this.#expression();
      this.#expect(":");
      const yes = this.#block();
      if (!this.#take("else")) return { kind: "if", test, yes, no: [], line };
      this.#expect(":");
      return { kind: "if", test, yes, no: this.#block(), line };
    }
    const statement = this.#simple(line);
    this.#newline();
    return statement;
  }

  #simple(line: number): Statement {
    if (this.#take("pass")) return { kind: "pass", line };
    if (this.#take("return")) {
      const value = this.#peek().kind === "newline" ? undefined : this.#sequence();
      return { kind: "return", value, line };
    }
    const first = this.#expression();
    if (this.#is(",")) {
      const targets = [nameOf(first)];
      while (this.#take(",")) if (!this.#is("=")) targets.push(this.#name());
      this.#expect("=");
      const names = targets.filter((name): name is string => name !== undefined);
      if (names.length !== targets.length) throw this.#fail("only names are assigned to");
      return { kind: "unpack", targets: names, value: this.#sequence(), line };
    }
    if (this.#take(":")) this.#skipType(["="]);
    if (!this.#take("=")) return { kind: "evaluate", value: first, line };
    const value = this.#sequence();
    if (first.kind === "name") return { kind: "assign", target: first.name, value, line };
    if (first.kind === "attribute") {
      return { kind: "setAttribute", of: first.of, name: first.name, value, line };
    }
    throw this.#fail("only names and attributes are assigned to");
  }

  /** Pass a statement and the block that belongs to it. */
  #skipStatement(): void {
    while (this.#at < this.#tokens.length && this.#peek().kind !== "newline") this.#at++;
    this.#at++;
    if (this.#peek().kind !== "indent") return;
    for (let depth = 0; this.#at < this.#tokens.length; this.#at++) {
      const { kind } = this.#peek();
      if (kind === "indent") depth++;
      if (kind === "dedent") depth--;
      if (depth === 0) break;
    }
    this.#at++;
  }

  // — expressions ——————————————————————————————————————————————————————————————————————————————————

  /** One expression, or several with commas between, which are a sequence. */
  #sequence(): Expr {
    const { line } = this.#peek();
    const first = this.#expression();
    if (!this.#is(",")) return first;
    const items = [first];
    while (this.#take(",")) if (this.#peek().kind !== "newline") items.push(this.#expression());
    return { kind: "sequence", items, line };
  }

  #expression(): Expr {
    return this.#nested(() => {
      const { line } = this.#peek();
      const value = this.#postfix(this.#atom());
      if (!this.#take("if")) return value;
      const test = this.#expression();
      this.#expect("else");
      return { kind: "choose", test, yes: value, no: this.#expression(), line };
    });
  }

  #atom(): Expr {
    const token = this.#peek();
    const { line, text } = token;
    this.#at++;
    if (token.kind === "number") return { kind: "literal", value: Number(text), line };
    if (token.kind === "string") {
      let value = text;
      for (; this.#peek().kind === "string"; this.#at++) value += this.#peek().text;
      return { kind: "literal", value, line };
    }
    if (token.kind === "name") {
      const value = KEYWORDS.get(text);
      return value === undefined
        ? { kind: "name", name: text, line }
        : { kind: "literal", value, line };
    }
    if (text === "-") {
      return { kind: "negative", of: this.#nested(() => this.#postfix(this.#atom())), line };
    }
    if (text === "(" || text === "[") return this.#bracketed(text, line);
    this.#at--;
    throw this.#fail(`"${text || token.kind}" is not expected here`);
  }

  /** ( … ) or [ … ]; one value in parentheses without a comma is that value. */
  #bracketed(open: string, line: number): Expr {
    const close = open === "(" ? ")" : "]";
    const items: Expr[] = [];
    let commas = 0;
    while (!this.#take(close)) {
      items.push(this.#expression());
      if (this.#take(",")) commas++;
      else if (!this.#is(close)) throw this.#fail(`"," or "${close}" is expected`);
    }
    const [only] = items;
    if (open === "(" && items.length === 1 && commas === 0 && only) return only;
    return { kind: "sequence", items, line };
  }

  #postfix(start: Expr): Expr {
    let value = start;
    for (let length = 0; ; length++) {
      if (length > TORCH_LIMITS.nesting) throw this.#fail("a chain of calls is too long");
      const { line } = this.#peek();
      if (this.#take(".")) value = { kind: "attribute", of: value, name: this.#name(), line };
      else if (this.#take("(")) value = this.#call(value, line);
      else if (this.#take("[")) {
        const items: Expr[] = [];
        while (!this.#take("]")) {
          items.push(this.#expression());
          if (!this.#is("]")) this.#expect(",");
        }
        const [only] = items;
        const index: Expr = items.length === 1 && only ? only : { kind: "sequence", items, line };
        value = { kind: "index", of: value, index, line };
      } else return value;
    }
  }

  #call(callee: Expr, line: number): Expr {
    const args: Expr[] = [];
    const named = new Map<string, Expr>();
    while (!this.#take(")")) {
      if (
        this.#peek().kind === "name" &&
        this.#peek(1).text === "=" &&
        this.#peek(1).kind === "punctuation"
      ) {
        const name = this.#name();
        this.#at++;
        named.set(name, this.#expression());
      } else args.push(this.#expression());
      if (!this.#is(")")) this.#expect(",");
    }
    return { kind: "call", callee, args, named, line };
  }
}

const nameOf = (expr: Expr): string | undefined => (expr.kind === "name" ? expr.name : undefined);
