// What a pickle of PyTorch's may hold, as inert data: nothing here has behaviour, and nothing is ever
// looked up by the names it carries.

/** A Python float; integers are numbers (or bigints beyond 2⁵³). */
export class PyFloat {
  readonly value: number;
  constructor(value: number) {
    this.value = value;
  }
}

export class Tuple {
  readonly items: readonly Pickled[];
  constructor(items: readonly Pickled[]) {
    this.items = items;
  }
}

export class List {
  readonly items: Pickled[];
  constructor(items: Pickled[]) {
    this.items = items;
  }
}

/** dict and collections.OrderedDict. */
export type Dict = Map<Pickled, Pickled>;

/** An allowed name that stands for itself: a dtype, a scheme, a function that only builds data. */
export class Global {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** An object of a TorchScript class: its name and state. */
export class ScriptObject {
  readonly type: string;
  state: Pickled = null;
  constructor(type: string) {
    this.type = type;
  }
}

/** The element type of a storage, as PyTorch calls it: "Float", "QInt8", …. */
export type StorageType =
  | "Float"
  | "Double"
  | "Half"
  | "BFloat16"
  | "Long"
  | "Int"
  | "Short"
  | "Char"
  | "Byte"
  | "Bool"
  | "QInt8"
  | "QUInt8"
  | "QInt32";

export class Storage {
  readonly type: StorageType;
  readonly key: string;
  /** Elements. */
  readonly length: number;
  constructor(type: StorageType, key: string, length: number) {
    this.type = type;
    this.key = key;
    this.length = length;
  }
}

export type QScheme =
  | { readonly kind: "perTensor"; readonly scale: number; readonly zeroPoint: number }
  | {
      readonly kind: "perChannel";
      readonly scales: StridedTensor;
      readonly zeroPoints: StridedTensor;
      readonly axis: number;
    };

/** A tensor as PyTorch saves it: a window on a storage. Sizes, strides and offset count elements. */
export class StridedTensor {
  readonly storage: Storage;
  readonly offset: number;
  readonly size: readonly number[];
  readonly stride: readonly number[];
  readonly scheme: QScheme | undefined;
  constructor(
    storage: Storage,
    offset: number,
    size: readonly number[],
    stride: readonly number[],
    scheme?: QScheme,
  ) {
    this.storage = storage;
    this.offset = offset;
    this.size = size;
    this.stride = stride;
    this.scheme = scheme;
  }
}

export type Pickled =
  | null
  | boolean
  | number
  | bigint
  | string
  | PyFloat
  | Tuple
  | List
  | Dict
  | Global
  | ScriptObject
  | Storage
  | StridedTensor;

/** How an error calls a value. */
export function kindOf(value: Pickled): string {
  if (value === null) return "None";
  if (value instanceof Map) return "a dict";
  if (value instanceof List) return "a list";
  if (value instanceof Tuple) return "a tuple";
  if (value instanceof Global) return value.name;
  if (value instanceof ScriptObject) return value.type;
  if (value instanceof StridedTensor) return "a tensor";
  if (value instanceof Storage) return "a storage";
  if (value instanceof PyFloat) return "a float";
  return typeof value === "number" || typeof value === "bigint"
    ? "an integer"
    : `a ${typeof value}`;
}
