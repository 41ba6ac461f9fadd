// The zip container of torch.save, torch.jit.save and numpy.savez. Stored entries are views on the file's
// bytes; deflated ones (TorchScript code, savez_compressed) are inflated against the size that the
// directory states. No zip library tried does both that and the checks below, so the directory is read
// here and fflate inflates (docs/decisions/0002).

import { Inflate } from "fflate";
import { FormatError } from "../../errors.ts";
import { crc32 } from "./crc32.ts";
import type { Budget, ZipRules } from "./rules.ts";

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  /** Bytes in the file, and after inflating. */
  readonly packed: number;
  readonly size: number;
  /** Of the local header. */
  readonly header: number;
  /** Of the first byte of data. */
  readonly start: number;
}

const STORED = 0;
const DEFLATED = 8;
const ENCRYPTED = 1;
const IN_ZIP64 = 0xffffffff;
const INPUT_CHUNK = 4096; // bytes; deflate expands at most 1032 times, so a step makes 4 MB at most

/** True where `bytes` begin as a zip file does. */
export function isZip(bytes: Uint8Array): boolean {
  return bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2] === 3 && bytes[3] === 4;
}

/** The entries of a zip file, by name; each is checked and unpacked when it is asked for. */
export class Zip {
  readonly bytes: Uint8Array;
  readonly budget: Budget;
  readonly #rules: ZipRules;
  readonly #entries: ReadonlyMap<string, Entry>;
  readonly #read = new Map<string, Uint8Array>();

  /** Reads the directory. Throws FormatError where it contradicts itself or the file. */
  constructor(bytes: Uint8Array, rules: ZipRules, budget: Budget) {
    this.bytes = bytes;
    this.budget = budget;
    this.#rules = rules;
    this.#entries = readDirectory(bytes, rules);
  }

  get names(): readonly string[] {
    return [...this.#entries.keys()];
  }

  /** Byte offset of the entry's data in the file where it is stored, undefined where it is deflated. */
  offsetOf(name: string): number | undefined {
    const entry = this.#entries.get(name);
    return entry?.method === STORED ? entry.start : undefined;
  }

  /** The bytes of entry `name`, undefined where there is none. */
  get(name: string): Uint8Array | undefined {
    const known = this.#read.get(name);
    if (known) return known;
    const entry = this.#entries.get(name);
    if (!entry) return undefined;
    const packed = this.bytes.subarray(entry.start, entry.start + entry.packed);
    const data = entry.method === STORED ? packed : this.#inflate(packed, entry);
    if (crc32(data) !== entry.crc) {
      throw this.#rules.damaged(`the checksum of "${name}" does not fit its bytes`, entry.start);
    }
    this.#read.set(name, data);
    return data;
  }

  #inflate(packed: Uint8Array, { name, size, start }: Entry): Uint8Array {
    const { damaged } = this.#rules;
    this.budget.take(size, `entry "${name}"`, start);
    const data = new Uint8Array(size);
    let at = 0;
    const stream = new Inflate((chunk) => {
      if (at + chunk.length > size) {
        throw damaged(`"${name}" inflates to more than the ${size} bytes stated`, start);
      }
      data.set(chunk, at);
      at += chunk.length;
    });
    try {
      for (let from = 0; from < packed.length; from += INPUT_CHUNK) {
        const to = from + INPUT_CHUNK;
        stream.push(packed.subarray(from, to), to >= packed.length);
      }
    } catch (error) {
      if (error instanceof FormatError) throw error;
      throw damaged(`"${name}" is not deflated data`, start);
    }
    if (at !== size) throw damaged(`"${name}" inflates to ${at} bytes; ${size} are stated`, start);
    return data;
  }
}

/** Little-endian numbers, refused past the end. */
class Numbers {
  readonly rules: ZipRules;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, rules: ZipRules) {
    this.rules = rules;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  u16(at: number): number {
    return this.#within(at, 2) ? this.#view.getUint16(at, true) : 0;
  }

  u32(at: number): number {
    return this.#within(at, 4) ? this.#view.getUint32(at, true) : 0;
  }

  /** A u64 that must be an offset or size in this file. */
  u64(at: number): number {
    const value = this.#within(at, 8) ? this.#view.getBigUint64(at, true) : 0n;
    if (value > BigInt(this.rules.fileBytes)) {
      throw this.rules.damaged(`a zip64 number of ${value} is beyond the file`, at);
    }
    return Number(value);
  }

  #within(at: number, length: number): boolean {
    if (at >= 0 && at + length <= this.#view.byteLength) return true;
    throw this.rules.damaged("the zip directory is cut off", Math.max(0, at));
  }
}

/** Where the directory lies: from the end record, which a comment of 65,535 bytes may follow. */
function findDirectory(bytes: Uint8Array, numbers: Numbers) {
  const { damaged } = numbers.rules;
  const last = bytes.length - 22;
  for (let end = last; end >= Math.max(0, last - 0xffff); end--) {
    if (numbers.u32(end) !== 0x06054b50 || end + 22 + numbers.u16(end + 20) !== bytes.length) {
      continue;
    }
    if (numbers.u16(end + 4) !== 0 || numbers.u16(end + 6) !== 0) {
      throw damaged("a zip file in several volumes is not supported", end);
    }
    const short = {
      count: numbers.u16(end + 10),
      size: numbers.u32(end + 12),
      start: numbers.u32(end + 16),
      end,
    };
    const isLong = short.count === 0xffff || short.size === IN_ZIP64 || short.start === IN_ZIP64;
    if (!isLong) return short;
    if (end < 20 || numbers.u32(end - 20) !== 0x07064b50) {
      throw damaged("the zip64 end record is missing", end);
    }
    const long = numbers.u64(end - 12);
    if (numbers.u32(long) !== 0x06064b50) throw damaged("the zip64 end record is missing", long);
    return {
      count: numbers.u64(long + 32),
      size: numbers.u64(long + 40),
      start: numbers.u64(long + 48),
      end: long,
    };
  }
  throw damaged("the zip directory is missing: the file is cut off");
}

function readDirectory(bytes: Uint8Array, rules: ZipRules): Map<string, Entry> {
  const { damaged } = rules;
  if (bytes.length > rules.fileBytes) {
    throw damaged(`the file has ${bytes.length} bytes; ${rules.fileBytes} are the limit`);
  }
  const numbers = new Numbers(bytes, rules);
  const { count, size, start, end } = findDirectory(bytes, numbers);
  if (count > rules.entries) {
    throw damaged(`it has ${count} entries; ${rules.entries} are the limit`, end);
  }
  if (start + size > end || count * 46 > size) {
    throw damaged("the zip directory leaves the file", end);
  }
  const entries = new Map<string, Entry>();
  let at = start;
  for (let index = 0; index < count; index++) {
    const { entry, next } = readEntry(bytes, numbers, at, start);
    if (entries.has(entry.name)) throw damaged(`entry "${entry.name}" is given twice`, at);
    entries.set(entry.name, entry);
    at = next;
  }
  refuseOverlaps([...entries.values()], rules);
  return entries;
}

/** Two entries over the same bytes are how small files pretend to be large ones. */
function refuseOverlaps(entries: readonly Entry[], { damaged }: ZipRules): void {
  const sorted = entries.toSorted((a, b) => a.header - b.header);
  sorted.forEach((entry, index) => {
    const before = sorted[index - 1];
    if (before && before.start + before.packed > entry.header) {
      throw damaged(`entries "${before.name}" and "${entry.name}" overlap`, entry.header);
    }
  });
}

const decoder = new TextDecoder("utf-8", { fatal: true });

/** One entry of the directory at byte `at`, and where the next one begins. */
function readEntry(bytes: Uint8Array, numbers: Numbers, at: number, directory: number) {
  const { damaged, expansion } = numbers.rules;
  if (numbers.u32(at) !== 0x02014b50) throw damaged("the zip directory is broken", at);
  const [flags, method, crc] = [numbers.u16(at + 8), numbers.u16(at + 10), numbers.u32(at + 16)];
  const nameLength = numbers.u16(at + 28);
  const extraLength = numbers.u16(at + 30);
  const next = at + 46 + nameLength + extraLength + numbers.u16(at + 32);
  const nameBytes = bytes.subarray(at + 46, at + 46 + nameLength);
  let name: string;
  try {
    name = decoder.decode(nameBytes);
  } catch {
    throw damaged("the name of a zip entry is not valid UTF-8", at + 46);
  }
  let [packed, size, header] = [numbers.u32(at + 20), numbers.u32(at + 24), numbers.u32(at + 42)];
  if (size === IN_ZIP64 || packed === IN_ZIP64 || header === IN_ZIP64) {
    const long = findZip64(numbers, at + 46 + nameLength, extraLength);
    const take = (short: number) => (short === IN_ZIP64 ? long() : short);
    [size, packed, header] = [take(size), take(packed), take(header)];
  }
  if (flags & ENCRYPTED) throw damaged(`entry "${name}" is encrypted`, at);
  if (method !== STORED && method !== DEFLATED) {
    throw damaged(
      `entry "${name}" is packed by method ${method}; stored and deflated are read`,
      at,
    );
  }
  if (method === STORED && packed !== size) {
    throw damaged(`stored entry "${name}" states two sizes, ${packed} and ${size}`, at);
  }
  if (size > expansion * packed) {
    const rule = `entry "${name}" expands ${packed} bytes to ${size}`;
    throw damaged(`${rule}; ${expansion} times is the limit`, at);
  }
  if (numbers.u32(header) !== 0x04034b50) throw damaged(`entry "${name}" has no header`, header);
  const start = header + 30 + numbers.u16(header + 26) + numbers.u16(header + 28);
  if (start + packed > directory) throw damaged(`entry "${name}" leaves the file`, header);
  return { entry: { name, method, crc, packed, size, header, start }, next };
}

/** The numbers of the zip64 extra field, one a call, in the order in which they stand. */
function findZip64(numbers: Numbers, start: number, length: number): () => number {
  const { damaged } = numbers.rules;
  for (let at = start; at + 4 <= start + length; at += 4 + numbers.u16(at + 2)) {
    if (numbers.u16(at) !== 1) continue;
    const end = at + 4 + numbers.u16(at + 2);
    let from = at + 4;
    return () => {
      if (from + 8 > end) throw damaged("a zip64 field is cut off", at);
      from += 8;
      return numbers.u64(from - 8);
    };
  }
  throw damaged("a zip64 field is missing", start);
}
