// A pickle reader for the opcodes that PyTorch writes (protocols 2 to 5). It builds data and calls
// nothing: a name that is not on the allow-list of globals.ts ends it, by name.

import { FormatError } from "../../errors.ts";
import { build, isAllowed, isScriptClass, readPersistent } from "./globals.ts";
import { damaged, TORCH_LIMITS } from "./limits.ts";
import {
  Global,
  kindOf,
  List,
  PyFloat,
  ScriptObject,
  StridedTensor,
  Tuple,
  type Pickled,
} from "./pickled.ts";

/** Marks the stack; never a value. */
const MARK = Symbol("mark");

const decoder = new TextDecoder("utf-8", { fatal: true });

const NAMES: Readonly<Record<number, string>> = {
  0x49: "INT",
  0x4c: "LONG",
  0x46: "FLOAT",
  0x53: "STRING",
  0x56: "UNICODE",
  0x69: "INST",
  0x6f: "OBJ",
  0x50: "PERSID",
  0x52: "REDUCE",
  0x42: "BINBYTES",
  0x43: "SHORT_BINBYTES",
  0x82: "EXT1",
  0x83: "EXT2",
  0x84: "EXT4",
  0x8b: "LONG4",
  0x8d: "BINUNICODE8",
  0x8e: "BINBYTES8",
  0x8f: "EMPTY_SET",
  0x90: "ADDITEMS",
  0x91: "FROZENSET",
  0x92: "NEWOBJ_EX",
  0x96: "BYTEARRAY8",
  0x97: "NEXT_BUFFER",
  0x98: "READONLY_BUFFER",
};

/** One pickle inside `bytes`. */
export class PickleReader {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  /** Where `bytes` begin in the file, for error messages; undefined for inflated bytes. */
  readonly #base: number;
  #at: number;
  #opcode = 0;
  #objects = 0;
  #stack: (Pickled | typeof MARK)[] = [];
  readonly #memo = new Map<number, Pickled>();

  constructor(bytes: Uint8Array, at = 0, base = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#at = at;
    this.#base = base;
  }

  /** Byte after the last one read. */
  get at(): number {
    return this.#at;
  }

  /** The pickled value. Throws FormatError with the offset of the opcode at fault. */
  read(): Pickled {
    for (;;) {
      this.#opcode = this.#at;
      const opcode = this.#u8();
      if (opcode === 0x2e) break; // STOP
      this.#run(opcode);
      if (this.#stack.length > TORCH_LIMITS.stack || this.#memo.size > TORCH_LIMITS.stack) {
        throw this.#fail(`it needs more than ${TORCH_LIMITS.stack} places`);
      }
    }
    const value = this.#pop();
    if (this.#stack.length > 0) throw this.#fail("values are left over at its end");
    return value;
  }

  #run(opcode: number): void {
    switch (opcode) {
      case 0x80: // PROTO
        return this.#protocol(this.#u8());
      case 0x95: // FRAME
        return this.#frame();
      case 0x28: // MARK
        this.#stack.push(MARK);
        return;
      case 0x4e: // NONE
        return this.#push(null);
      case 0x88: // NEWTRUE
        return this.#push(true);
      case 0x89: // NEWFALSE
        return this.#push(false);
      case 0x4a: // BININT
        return this.#push(this.#view.getInt32(this.#skip(4), true));
      case 0x4b: // BININT1
        return this.#push(this.#u8());
      case 0x4d: // BININT2
        return this.#push(this.#view.getUint16(this.#skip(2), true));
      case 0x8a: // LONG1
        return this.#push(this.#long(this.#u8()));
      case 0x47: // BINFLOAT
        this.#count();
        return this.#push(new PyFloat(this.#view.getFloat64(this.#skip(8))));
      case 0x58: // BINUNICODE
      case 0x54: // BINSTRING
        return this.#push(this.#text(this.#u32()));
      case 0x8c: // SHORT_BINUNICODE
      case 0x55: // SHORT_BINSTRING
        return this.#push(this.#text(this.#u8()));
      case 0x29: // EMPTY_TUPLE
        return this.#push(this.#made(new Tuple([])));
      case 0x85: // TUPLE1
      case 0x86: // TUPLE2
      case 0x87: // TUPLE3
        return this.#tuple(opcode - 0x84);
      case 0x74: // TUPLE
        return this.#push(this.#made(new Tuple(this.#popMark())));
      case 0x5d: // EMPTY_LIST
        return this.#push(this.#made(new List([])));
      case 0x61: // APPEND
        return this.#append([this.#pop()]);
      case 0x65: // APPENDS
        return this.#append(this.#popMark());
      case 0x7d: // EMPTY_DICT
        return this.#push(this.#made(new Map()));
      case 0x73: // SETITEM
        return this.#setItems([this.#pop(), this.#pop()].reverse());
      case 0x75: // SETITEMS
        return this.#setItems(this.#popMark());
      case 0x71: // BINPUT
        return this.#put(this.#u8());
      case 0x72: // LONG_BINPUT
        return this.#put(this.#u32());
      case 0x94: // MEMOIZE
        return this.#put(this.#memo.size);
      case 0x68: // BINGET
        return this.#get(this.#u8());
      case 0x6a: // LONG_BINGET
        return this.#get(this.#u32());
      case 0x63: // GLOBAL
        return this.#global(this.#line(), this.#line());
      case 0x93: // STACK_GLOBAL
        return this.#stackGlobal();
      case 0x51: // BINPERSID
        this.#count();
        return this.#push(readPersistent(this.#pop(), (problem) => this.#fail(problem)));
      case 0x52: // REDUCE
        return this.#reduce();
      case 0x81: // NEWOBJ
        return this.#newObject();
      case 0x62: // BUILD
        return this.#build();
      default: {
        const name = NAMES[opcode] ?? `0x${opcode.toString(16).padStart(2, "0")}`;
        throw this.#fail(`opcode ${name} is not on the list of what PyTorch's files need`);
      }
    }
  }

  // — bytes ————————————————————————————————————————————————————————————————————————————————————————

  #fail(problem: string): FormatError {
    return damaged(`pickle: ${problem}`, this.#base + this.#opcode);
  }

  /** The position of the next `length` bytes, which are then passed. */
  #skip(length: number): number {
    const at = this.#at;
    if (length > this.#bytes.length - at) throw this.#fail("it is cut off");
    this.#at = at + length;
    return at;
  }

  #u8(): number {
    return this.#view.getUint8(this.#skip(1));
  }

  #u32(): number {
    return this.#view.getUint32(this.#skip(4), true);
  }

  #text(length: number): string {
    if (length > TORCH_LIMITS.nameBytes) throw this.#fail(`a string has ${length} bytes`);
    this.#count();
    const at = this.#skip(length);
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length));
    } catch {
      throw this.#fail("a string is not valid UTF-8");
    }
  }

  #line(): string {
    const end = this.#bytes.indexOf(10, this.#at);
    if (end < 0) throw this.#fail("it is cut off");
    const text = this.#text(end - this.#at);
    this.#at = end + 1;
    return text;
  }

  /** A little-endian two's complement integer. */
  #long(length: number): number | bigint {
    this.#count();
    const at = this.#skip(length);
    let value = 0n;
    for (let index = length - 1; index >= 0; index--) {
      value = (value << 8n) | BigInt(this.#bytes[at + index] ?? 0);
    }
    if (length > 0) value = BigInt.asIntN(8 * length, value);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  #protocol(version: number): void {
    if (version < 2 || version > 5) {
      throw this.#fail(`protocol ${version} is not supported; 2 to 5 are`);
    }
  }

  #frame(): void {
    const length = this.#view.getBigUint64(this.#skip(8), true);
    if (length > BigInt(this.#bytes.length - this.#at)) throw this.#fail("a frame is cut off");
  }

  // — stack and memo ———————————————————————————————————————————————————————————————————————————————

  #count(): void {
    this.#objects++;
    if (this.#objects > TORCH_LIMITS.objects) {
      throw this.#fail(`it makes more than ${TORCH_LIMITS.objects} objects`);
    }
  }

  #made<T extends Pickled>(value: T): T {
    this.#count();
    return value;
  }

  #push(value: Pickled): void {
    this.#stack.push(value);
  }

  #pop(): Pickled {
    const value = this.#stack.pop();
    if (value === undefined || value === MARK) throw this.#fail("its stack is empty");
    return value;
  }

  #top(): Pickled {
    const value = this.#stack.at(-1);
    if (value === undefined || value === MARK) throw this.#fail("its stack is empty");
    return value;
  }

  /** The values above the last mark, which goes too. */
  #popMark(): Pickled[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#fail("a mark is missing");
    const values = this.#stack.splice(mark).slice(1);
    return values as Pickled[]; // none is a mark: the last one was found
  }

  #put(index: number): void {
    this.#memo.set(index, this.#top());
  }

  #get(index: number): void {
    const value = this.#memo.get(index);
    if (value === undefined) throw this.#fail(`memo entry ${index} is used before it is stored`);
    this.#push(value);
  }

  // — values ———————————————————————————————————————————————————————————————————————————————————————

  #tuple(length: number): void {
    const items = Array.from({ length }, () => this.#pop()).reverse();
    this.#push(this.#made(new Tuple(items)));
  }

  #append(items: readonly Pickled[]): void {
    const list = this.#top();
    if (!(list instanceof List))
      throw this.#fail(`only lists are appended to; got ${kindOf(list)}`);
    for (const item of items) list.items.push(item);
    if (list.items.length > TORCH_LIMITS.stack) throw this.#fail("a list is too long");
  }

  #setItems(pairs: readonly Pickled[]): void {
    const map = this.#top();
    if (!(map instanceof Map)) throw this.#fail(`only dicts take items; got ${kindOf(map)}`);
    if (pairs.length % 2 !== 0) throw this.#fail("a key has no value");
    for (let index = 0; index < pairs.length; index += 2) {
      this.#count();
      const key = pairs[index] ?? null;
      if (typeof key !== "string" && typeof key !== "number") {
        throw this.#fail(`a key must be a string or an integer; got ${kindOf(key)}`);
      }
      map.set(key, pairs[index + 1] ?? null);
    }
  }

  #global(module: string, name: string): void {
    const path = `${module}.${name}`;
    if (!isAllowed(path)) {
      throw new FormatError(
        "PyTorch file",
        `pickle: the name "${path}" is refused: a model's file may only name tensors, dicts and ` +
          `TorchScript classes, and nothing in it is ever called`,
        "Save a state_dict (torch.save(model.state_dict(), …)) or a TorchScript archive.",
        this.#base + this.#opcode,
      );
    }
    this.#push(this.#made(new Global(path)));
  }

  #stackGlobal(): void {
    const [name, module] = [this.#pop(), this.#pop()];
    if (typeof name !== "string" || typeof module !== "string") {
      throw this.#fail("a name must be a string");
    }
    this.#global(module, name);
  }

  #reduce(): void {
    const [args, callee] = [this.#pop(), this.#pop()];
    if (!(args instanceof Tuple) || !(callee instanceof Global)) {
      throw this.#fail(`REDUCE needs a name and a tuple; got ${kindOf(callee)}`);
    }
    const value = build(callee.name, args.items, (problem) => this.#fail(problem));
    if (value === undefined) throw this.#fail(`"${callee.name}" builds nothing`);
    this.#push(this.#made(value));
  }

  #newObject(): void {
    const [args, type] = [this.#pop(), this.#pop()];
    if (!(type instanceof Global) || !(args instanceof Tuple) || args.items.length > 0) {
      throw this.#fail(`NEWOBJ needs a class and no arguments; got ${kindOf(type)}`);
    }
    if (!isScriptClass(type.name)) throw this.#fail(`"${type.name}" is no TorchScript class`);
    this.#push(this.#made(new ScriptObject(type.name)));
  }

  /** State of a TorchScript object; of a dict or tensor only attributes, such as _metadata. */
  #build(): void {
    const state = this.#pop();
    const object = this.#top();
    if (object instanceof ScriptObject) object.state = state;
    else if (!(object instanceof Map) && !(object instanceof StridedTensor)) {
      throw this.#fail(`only TorchScript objects and dicts have state; got ${kindOf(object)}`);
    }
  }
}
