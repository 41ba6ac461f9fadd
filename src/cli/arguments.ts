// What was typed → what it means. A command lists its options as data, and the same list parses the arguments,
// checks them and prints the help.

import { parseArgs, type ParseArgsConfig } from "node:util";
import { didYouMean } from "./suggest.ts";

/** What was typed cannot be understood; exit status 2. */
export class UsageError extends Error {
  override readonly name = "UsageError";
  readonly code = "usage";
}

export interface OptionSpec {
  readonly name: string;
  /** How help calls the value; without one the option is a switch. */
  readonly value?: string;
  readonly help: string;
  readonly required?: boolean;
  /** May be given several times. */
  readonly multiple?: boolean;
}

/** The part of a command that parsing needs. */
export interface Grammar {
  readonly name: string;
  /** Names of the arguments that are no options, in order. */
  readonly positionals: readonly string[];
  readonly options: readonly OptionSpec[];
}

/** Options that every command knows. */
export const COMMON: readonly OptionSpec[] = [
  { name: "json", help: "Print one JSON object on stdout, and nothing else." },
  { name: "help", help: "Print this help." },
];

/** Parsed arguments of one command. */
export class Arguments {
  readonly #grammar: Grammar;
  readonly #positionals: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(
    grammar: Grammar,
    positionals: readonly string[],
    values: ReadonlyMap<string, readonly string[]>,
  ) {
    this.#grammar = grammar;
    this.#positionals = positionals;
    this.#values = values;
  }

  /** The positional argument called `name`. */
  positional(name: string): string {
    return this.#positionals[this.#grammar.positionals.indexOf(name)] ?? "";
  }

  has(name: string): boolean {
    return this.#values.has(name);
  }

  list(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  text(name: string): string | undefined {
    return this.list(name).at(-1);
  }

  /** An option that the grammar requires: parsing has checked that it is there. */
  required(name: string): string {
    return this.text(name) ?? "";
  }

  /** An option that this use of the command requires. Throws UsageError. */
  needed(name: string): string {
    const value = this.text(name);
    if (value !== undefined) return value;
    const spec = this.#grammar.options.find((option) => option.name === name);
    throw usage(this.#grammar, `--${name} ${spec?.value} is missing`);
  }

  /** A whole number of at least `least`, or undefined where the option is not given. */
  integer(name: string, least: number): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (/^[+-]?\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
    const rule = Number.isFinite(least)
      ? `a whole number of at least ${least}`
      : "a whole number, such as 1 or -1";
    throw usage(this.#grammar, `--${name} must be ${rule}; got ${JSON.stringify(text)}`);
  }

  /** A number from `least` to `greatest`, or undefined where the option is not given. */
  number(name: string, least: number, greatest = Infinity): number | undefined {
    const text = this.text(name);
    if (text === undefined) return undefined;
    const value = Number(text);
    if (text.trim() !== "" && Number.isFinite(value) && value >= least && value <= greatest)
      return value;
    const rule = greatest === Infinity ? `of at least ${least}` : `from ${least} to ${greatest}`;
    throw usage(this.#grammar, `--${name} must be a number ${rule}; got ${JSON.stringify(text)}`);
  }

  /** One of `known`, or undefined where the option is not given. */
  choice<T extends string>(name: string, known: readonly T[]): T | undefined {
    const text = this.text(name);
    const found = known.find((each) => each === text);
    if (text === undefined || found !== undefined) return found;
    const got = `${JSON.stringify(text)}${didYouMean(text, known)}`;
    throw usage(this.#grammar, `--${name} must be one of ${known.join(", ")}; got ${got}`);
  }

  /** Throws a UsageError about this command. */
  fail(problem: string): never {
    throw usage(this.#grammar, problem);
  }
}

function usage({ name }: Grammar, problem: string): UsageError {
  const end = problem.endsWith("?") ? "" : ".";
  return new UsageError(`${name}: ${problem}${end} Try: webgpu-quant ${name} --help`);
}

/** True for what a shell's `*` may put behind --data. */
const isModel = (text: string): boolean => /\.(onnx|pt|pth|ptl|th|safetensors)$/i.test(text);

/** Parse what follows the command's name. Words behind `--data A` are pictures too, so that a shell's
 *  `*.jpg` works; a model's file among them is one. Throws UsageError. */
export function parseArguments(grammar: Grammar, argv: readonly string[]): Arguments {
  const specs = [...grammar.options, ...COMMON];
  const tokens = tokenize(grammar, specs, argv);
  const positionals: string[] = [];
  const values = new Map<string, string[]>();
  let afterData = false;
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (afterData && !isModel(token.value)) values.get("data")?.push(token.value);
      else positionals.push(token.value);
      continue;
    }
    afterData = token.name === "data";
    const list = values.get(token.name) ?? [];
    const repeatable = specs.find(({ name }) => name === token.name)?.multiple ?? false;
    if (list.length > 0 && !repeatable) throw usage(grammar, `--${token.name} is given twice`);
    list.push(token.value ?? "");
    values.set(token.name, list);
  }
  const parsed = new Arguments(grammar, positionals, values);
  if (!parsed.has("help")) checkComplete(grammar, positionals, values);
  return parsed;
}

function tokenize(grammar: Grammar, specs: readonly OptionSpec[], argv: readonly string[]) {
  const options: NonNullable<ParseArgsConfig["options"]> = {};
  for (const { name, value } of specs)
    options[name] = { type: value === undefined ? "boolean" : "string", multiple: true };
  try {
    const args = joinNegative(specs, argv);
    const config = { args, options, allowPositionals: true, tokens: true } as const;
    return parseArgs(config).tokens;
  } catch (error) {
    const code = (error as { code?: string }).code ?? "";
    if (code === "ERR_PARSE_ARGS_UNKNOWN_OPTION") {
      const unknown = /'([^']*)'/.exec((error as Error).message)?.[1] ?? "option";
      const names = specs.map(({ name }) => name);
      const meant = didYouMean(unknown.replace(/^-+/, ""), names, "--");
      const known = names.map((name) => `--${name}`).join(", ");
      throw usage(grammar, `unknown option ${unknown}${meant || `; known are ${known}`}`);
    }
    if (!code.startsWith("ERR_PARSE_ARGS")) throw error;
    const [problem = ""] = (error as Error).message.split("\n");
    throw usage(grammar, problem.replace(/\.$/, ""));
  }
}

/** `--label-offset -1`: a number is a value, not an option. */
function joinNegative(specs: readonly OptionSpec[], argv: readonly string[]): string[] {
  const withValue = new Set(specs.flatMap(({ name, value }) => (value ? [`--${name}`] : [])));
  const args: string[] = [];
  for (const word of argv) {
    const last = args.at(-1);
    if (last !== undefined && withValue.has(last) && /^-\d/.test(word))
      args[args.length - 1] = `${last}=${word}`;
    else args.push(word);
  }
  return args;
}

function checkComplete(
  grammar: Grammar,
  positionals: readonly string[],
  values: ReadonlyMap<string, readonly string[]>,
): void {
  const missing = grammar.positionals[positionals.length];
  if (missing !== undefined) throw usage(grammar, `${missing} is missing`);
  const extra = positionals[grammar.positionals.length];
  if (extra !== undefined) throw usage(grammar, `unexpected argument ${JSON.stringify(extra)}`);
  for (const { name, value, required } of grammar.options) {
    if (required && !values.has(name)) throw usage(grammar, `--${name} ${value} is missing`);
  }
}
