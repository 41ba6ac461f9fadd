// A bounded reader of protobuf messages. Its one idea: a message is a range of bytes, and no field may
// leave the range it stands in, so every length is checked before anything is allocated or moved.
//
// Varints, floats and tags are decoded by @bufbuild/protobuf; bounds, nesting and words are ours.
// https://protobuf.dev/programming-guides/encoding/

import { BinaryReader, WireType } from "@bufbuild/protobuf/wire";
import { FormatError } from "../../errors.ts";
import type { OnnxLimits } from "./limits.ts";

export { WireType };

/** A FormatError of an ONNX file, at `offset` bytes from its start. */
export function damaged(
  problem: string,
  offset?: number,
  wayOut = "The file is damaged; download or export the model again.",
): FormatError {
  return new FormatError("ONNX", problem, wayOut, offset);
}

/** A FormatError of a file that can be read, and says what ONNX forbids. */
export function invalid(problem: string, offset?: number): FormatError {
  const wayOut =
    "The model is not valid ONNX there: onnx.checker.check_model says more; export it again.";
  return damaged(problem, offset, wayOut);
}

export class WireReader {
  readonly limits: OnnxLimits;
  #bytes: Uint8Array;
  #reader: BinaryReader;
  #end: number;
  #depth = 0;
  #type: WireType = WireType.Varint;
  #decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

  constructor(bytes: Uint8Array, limits: OnnxLimits) {
    if (bytes.length > limits.fileBytes) {
      throw damaged(
        `the file has ${bytes.length} bytes; the limit is ${limits.fileBytes}`,
        undefined,
        "Keep large weights in external data, or raise limits.fileBytes.",
      );
    }
    this.#bytes = bytes;
    this.#reader = new BinaryReader(bytes);
    this.#end = bytes.length;
    this.limits = limits;
  }

  /** Bytes from the start of the file to the next unread one. */
  get offset(): number {
    return this.#reader.pos;
  }

  /**
   * Call `field(number)` for each field of the current range; it reads the payload or skips it.
   * A field listed in `once` may not come twice: two readers could disagree on which one counts.
   */
  fields(field: (number: number) => void, once: readonly number[] = []): void {
    const seen = new Set<number>();
    while (this.#reader.pos < this.#end) {
      const start = this.offset;
      const [number, type] = this.#decode(() => this.#reader.tag(), "a field's tag");
      if (type === WireType.StartGroup || type === WireType.EndGroup) {
        throw damaged(`field ${number} has the forbidden wire type ${type}`, start);
      }
      if (seen.has(number)) throw damaged(`field ${number} of one message is given twice`, start);
      if (once.includes(number)) seen.add(number);
      this.#type = type;
      field(number);
    }
  }

  /** Read a nested message, field by field. */
  message(field: (number: number) => void, once?: readonly number[]): void {
    const start = this.offset;
    const { end } = this.#range();
    if (++this.#depth > this.limits.nesting) {
      throw damaged(
        `messages are nested more than ${this.limits.nesting} deep`,
        start,
        "Flatten the model's subgraphs, or raise limits.nesting.",
      );
    }
    const outer = this.#end;
    this.#end = end;
    this.fields(field, once);
    this.#end = outer;
    this.#depth--;
  }

  /** The payload of a bytes field, as a view on the file. */
  bytes(): Uint8Array {
    const { start, end } = this.#range();
    this.#reader.pos = end;
    return this.#bytes.subarray(start, end);
  }

  /** A UTF-8 string; malformed UTF-8 is an error. */
  string(): string {
    const start = this.offset;
    return this.text(this.bytes(), start);
  }

  /** `bytes`, which stand at `offset`, as text. */
  text(bytes: Uint8Array, offset: number): string {
    if (bytes.length > this.limits.nameBytes) {
      throw damaged(
        `a string has ${bytes.length} bytes; the limit is ${this.limits.nameBytes}`,
        offset,
        "Shorten the name, or raise limits.nameBytes.",
      );
    }
    try {
      return this.#decoder.decode(bytes);
    } catch {
      throw damaged("a string is not valid UTF-8", offset);
    }
  }

  int64(): bigint {
    this.#expect(WireType.Varint);
    return this.#varint();
  }

  /** An integer that a double holds exactly. */
  int(what: string): number {
    const start = this.offset;
    const value = Number(this.int64());
    if (!Number.isSafeInteger(value)) throw damaged(`${what} is out of range; got ${value}`, start);
    return value;
  }

  float(): number {
    const chunk = this.fixed(4);
    if (chunk.length !== 4) throw damaged("a float has 4 bytes", this.offset);
    return new DataView(chunk.buffer, chunk.byteOffset, 4).getFloat32(0, true);
  }

  /** One occurrence of a repeated integer field, packed or not. */
  int64s(): BigInt64Array {
    if (this.#type === WireType.Varint) return BigInt64Array.of(this.int64());
    const { start, end } = this.#range();
    let count = 0;
    for (let at = start; at < end; at++) if ((this.#bytes[at] ?? 0) < 0x80) count++;
    const outer = this.#end;
    this.#end = end;
    const values = new BigInt64Array(count);
    for (let index = 0; this.#reader.pos < end; index++) values[index] = this.#varint();
    this.#end = outer;
    return values;
  }

  /** One occurrence of a repeated field of `size`-byte numbers, packed or not: its bytes. */
  fixed(size: 4 | 8): Uint8Array {
    const start = this.offset;
    if (this.#type === WireType.LengthDelimited) {
      const chunk = this.bytes();
      if (chunk.length % size === 0) return chunk;
      throw damaged(`packed numbers of ${size} bytes take ${chunk.length} bytes`, start);
    }
    this.#expect(size === 4 ? WireType.Bit32 : WireType.Bit64);
    this.#need(size, start);
    this.#reader.pos = start + size;
    return this.#bytes.subarray(start, start + size);
  }

  /** Pass over a field nobody here reads. */
  skip(): void {
    const start = this.offset;
    if (this.#type === WireType.Varint) this.#varint();
    else if (this.#type === WireType.LengthDelimited) this.bytes();
    else {
      const size = this.#type === WireType.Bit32 ? 4 : 8;
      this.#need(size, start);
      this.#reader.pos = start + size;
    }
  }

  #varint(): bigint {
    return this.#decode(() => BigInt(this.#reader.int64()), "a varint");
  }

  #range(): { start: number; end: number } {
    this.#expect(WireType.LengthDelimited);
    const at = this.offset;
    const length = this.#varint();
    const start = this.offset;
    // Compared as BigInt: a length of 2^63 must not be rounded or wrapped first.
    if (length < 0n || length > BigInt(this.#end - start)) {
      throw damaged(
        `a length of ${length} leaves its message (${this.#end - start} bytes left)`,
        at,
      );
    }
    return { start, end: start + Number(length) };
  }

  #expect(type: WireType): void {
    if (this.#type === type) return;
    throw damaged(`wire type ${type} was expected; got ${this.#type}`, this.offset);
  }

  #need(size: number, start: number): void {
    if (start + size > this.#end) throw damaged(`a number of ${size} bytes is cut off`, start);
  }

  #decode<T>(read: () => T, what: string): T {
    const start = this.offset;
    try {
      const value = read();
      if (this.#reader.pos <= this.#end) return value;
    } catch (cause) {
      if (cause instanceof FormatError) throw cause;
      throw damaged(`${what} cannot be read (${(cause as Error).message})`, start);
    }
    throw damaged(`${what} leaves its message`, start);
  }
}
