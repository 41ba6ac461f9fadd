// The JSON header of a safetensors file. It is scanned by its own small grammar, not by JSON.parse: that
// keeps the last of two equal keys silently, and then two readers see two models in one file.
// https://github.com/huggingface/safetensors#format

import { FormatError } from "../../errors.ts";
import type { SafetensorsLimits } from "./limits.ts";

/** One entry as written: nothing is checked yet but its grammar. Offsets are bytes after the header. */
export interface HeaderEntry {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly bigint[];
  readonly begin: bigint;
  readonly end: bigint;
  /** Where the entry stands in the file, for messages. */
  readonly offset: number;
}

export interface Header {
  readonly entries: readonly HeaderEntry[];
  readonly metadata: ReadonlyMap<string, string>;
}

export function damaged(problem: string, offset?: number): FormatError {
  return new FormatError(
    "safetensors",
    problem,
    "The file is damaged, or not safetensors: download or write it again.",
    offset,
  );
}

const DIGITS = /[0-9]/;
/** Digits of the greatest number that can mean anything here: 2^31 − 1 elements of 8 bytes, and zeros. */
const MOST_DIGITS = 20;

class Scanner {
  readonly #text: string;
  readonly #limits: SafetensorsLimits;
  /** A character's index; the header starts at byte 8, and before any non-ASCII name the two agree. */
  at = 0;

  constructor(text: string, limits: SafetensorsLimits) {
    this.#text = text;
    this.#limits = limits;
  }

  get offset(): number {
    return this.at + 8;
  }

  fail(expected: string): FormatError {
    const got = this.at < this.#text.length ? JSON.stringify(this.#text[this.at]) : "its end";
    return damaged(`the header must have ${expected}; got ${got}`, this.offset);
  }

  space(): void {
    while (" \t\n\r".includes(this.#text[this.at] ?? "x")) this.at++;
  }

  /** True, and past it, where `mark` comes next. */
  take(mark: string): boolean {
    this.space();
    if (this.#text[this.at] !== mark) return false;
    this.at++;
    return true;
  }

  expect(mark: string): void {
    if (!this.take(mark)) throw this.fail(`"${mark}"`);
  }

  string(): string {
    this.space();
    const start = this.at;
    if (this.#text[start] !== '"') throw this.fail("a string");
    let end = start + 1;
    while (this.#text[end] !== '"') {
      if (end - start > this.#limits.nameBytes || end >= this.#text.length) {
        throw damaged(
          `a string must end within ${this.#limits.nameBytes} bytes and the header`,
          start + 8,
        );
      }
      end += this.#text[end] === "\\" ? 2 : 1;
    }
    this.at = end + 1;
    try {
      return JSON.parse(this.#text.slice(start, this.at)) as string;
    } catch {
      throw damaged("a string has an escape or a control character that JSON forbids", start + 8);
    }
  }

  natural(): bigint {
    this.space();
    const start = this.at;
    while (DIGITS.test(this.#text[this.at] ?? "") && this.at - start <= MOST_DIGITS) this.at++;
    const digits = this.#text.slice(start, this.at);
    const isNumber = digits !== "" && (digits === "0" || !digits.startsWith("0"));
    if (!isNumber || digits.length > MOST_DIGITS) throw this.fail("a number from 0");
    return BigInt(digits);
  }

  naturals(most: number): bigint[] {
    this.expect("[");
    const values: bigint[] = [];
    if (this.take("]")) return values;
    do {
      if (values.length >= most) throw this.fail(`at most ${most} numbers in this list`);
      values.push(this.natural());
    } while (this.take(","));
    this.expect("]");
    return values;
  }

  /** The keys of an object, each once; `read` takes the value of one. */
  object(read: (key: string, offset: number) => void): void {
    this.expect("{");
    if (this.take("}")) return;
    const keys = new Set<string>();
    do {
      this.space();
      const { offset } = this;
      const key = this.string();
      if (keys.has(key)) throw damaged(`the key ${JSON.stringify(key)} is given twice`, offset);
      keys.add(key);
      this.expect(":");
      read(key, offset);
    } while (this.take(","));
    this.expect("}");
  }

  end(): void {
    this.space();
    if (this.at < this.#text.length) throw this.fail("nothing after its object but spaces");
  }
}

function readEntry(
  scanner: Scanner,
  name: string,
  offset: number,
  limits: SafetensorsLimits,
): HeaderEntry {
  let dtype: string | undefined;
  let shape: bigint[] | undefined;
  let offsets: bigint[] | undefined;
  scanner.object((key) => {
    if (key === "dtype") dtype = scanner.string();
    else if (key === "shape") shape = scanner.naturals(limits.rank);
    else if (key === "data_offsets") offsets = scanner.naturals(2);
    else throw scanner.fail(`dtype, shape and data_offsets alone, not ${JSON.stringify(key)},`);
  });
  const [begin, end] = offsets ?? [];
  if (dtype === undefined || shape === undefined || begin === undefined || end === undefined) {
    throw damaged(`tensor "${name}" must have dtype, shape and two data_offsets`, offset);
  }
  return { name, dtype, shape, begin, end, offset };
}

/** The header's text as entries and metadata; throws FormatError with the offset of what is wrong. */
export function parseHeader(text: string, limits: SafetensorsLimits): Header {
  if (!text.startsWith("{")) throw damaged('the header must begin with "{"', 8);
  const scanner = new Scanner(text, limits);
  const entries: HeaderEntry[] = [];
  const metadata = new Map<string, string>();
  scanner.object((name, offset) => {
    if (name === "__metadata__") scanner.object((key) => metadata.set(key, scanner.string()));
    else entries.push(readEntry(scanner, name, offset, limits));
  });
  scanner.end();
  return { entries, metadata };
}
