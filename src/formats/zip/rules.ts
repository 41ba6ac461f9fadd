// What a zip file may ask for, whichever format lies in it: the limits by name, how a breach is called, and
// the one account that all copies of its data are booked on.

import type { FormatError } from "../../errors.ts";

export interface ZipRules {
  /** Bytes of the file. */
  readonly fileBytes: number;
  /** Entries of the file. */
  readonly entries: number;
  /** Inflated bytes per deflated byte; deflate itself reaches 1,032. */
  readonly expansion: number;
  /** The error about this file; `offset` in bytes from its start. */
  readonly damaged: (problem: string, offset?: number) => FormatError;
}

/** The account of one file's copies: bytes are taken before they are allocated. */
export class Budget {
  #left: number;
  readonly #damaged: ZipRules["damaged"];

  constructor(bytes: number, damaged: ZipRules["damaged"]) {
    this.#left = bytes;
    this.#damaged = damaged;
  }

  /** Book `bytes` for `what`; throws FormatError where the file asks for more than its size explains. */
  take(bytes: number, what: string, offset?: number): void {
    if (!(bytes <= this.#left)) {
      const problem = `${what} asks for ${bytes} bytes, more than the file's size explains`;
      throw this.#damaged(problem, offset);
    }
    this.#left -= bytes;
  }
}
