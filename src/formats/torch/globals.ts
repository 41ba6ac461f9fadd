// The allow-list: which names a pickle may mention, and what they build here. Everything else is
// refused by name before anything is done with it.

import { TORCH_LIMITS } from "./limits.ts";
import {
  Global,
  kindOf,
  List,
  PyFloat,
  Storage,
  StridedTensor,
  Tuple,
  type Pickled,
  type QScheme,
  type StorageType,
} from "./pickled.ts";

const STORAGES = new Set<string>(
  "Float Double Half BFloat16 Long Int Short Char Byte Bool QInt8 QUInt8 QInt32".split(" "),
);

/** Names that stand for themselves. */
const TAGS = new Set(
  (
    "qint8 quint8 qint32 float32 float64 float16 bfloat16 int64 int32 int16 int8 uint8 bool " +
    "per_tensor_affine per_channel_affine per_tensor_symmetric per_channel_symmetric " +
    "per_channel_affine_float_qparams"
  )
    .split(" ")
    .map((name) => `torch.${name}`),
);

type Build = (args: readonly Pickled[], fail: (problem: string) => Error) => Pickled;

const builders: Readonly<Record<string, Build>> = {
  "collections.OrderedDict": (args, fail) => {
    if (args.length > 0) throw fail("an OrderedDict must begin empty");
    return new Map();
  },
  "torch._utils._rebuild_tensor": ([storage, offset, size, stride], fail) =>
    strided(storage, offset, size, stride, undefined, fail),
  "torch._utils._rebuild_tensor_v2": ([storage, offset, size, stride], fail) =>
    strided(storage, offset, size, stride, undefined, fail),
  "torch._utils._rebuild_parameter": ([tensor], fail) => {
    if (!(tensor instanceof StridedTensor)) throw fail("a parameter must hold a tensor");
    return tensor;
  },
  "torch._utils._rebuild_qtensor": ([storage, offset, size, stride, scheme], fail) =>
    strided(storage, offset, size, stride, readScheme(scheme, fail), fail),
  "torch.jit._pickle.build_intlist": firstList,
  "torch.jit._pickle.build_tensorlist": firstList,
  "torch.jit._pickle.build_doublelist": firstList,
  "torch.jit._pickle.build_boollist": firstList,
  "torch.jit._pickle.restore_type_tag": ([value]) => value ?? null,
};

function firstList([list]: readonly Pickled[], fail: (problem: string) => Error): Pickled {
  if (!(list instanceof List)) throw fail("a list must be built from a list");
  return list;
}

/** True for the names above, storage types and TorchScript classes. */
export function isAllowed(name: string): boolean {
  return (
    Object.hasOwn(builders, name) ||
    TAGS.has(name) ||
    storageType(name) !== undefined ||
    isScriptClass(name)
  );
}

export const isScriptClass = (name: string): boolean => name.startsWith("__torch__.");

/** What REDUCE of an allowed function makes, undefined for a name that is no function. */
export function build(
  name: string,
  args: readonly Pickled[],
  fail: (problem: string) => Error,
): Pickled | undefined {
  return Object.hasOwn(builders, name) ? builders[name]?.(args, fail) : undefined;
}

/** "torch.QInt8Storage" → "QInt8". */
function storageType(name: string): StorageType | undefined {
  const short = /^torch\.(\w+)Storage$/.exec(name)?.[1] ?? "";
  return STORAGES.has(short) ? (short as StorageType) : undefined;
}

/** A persistent id: ("storage", type, key, location, elements) and, in legacy files, a view or None. */
export function readPersistent(id: Pickled, fail: (problem: string) => Error): Storage {
  if (!(id instanceof Tuple)) throw fail("a persistent id must be a tuple");
  const [tag, type, key, , length, view] = id.items;
  const element = type instanceof Global ? storageType(type.name) : undefined;
  if (tag !== "storage" || element === undefined || typeof key !== "string") {
    throw fail("a persistent id must name a storage, its type and its key");
  }
  if (!isCount(length, Number.MAX_SAFE_INTEGER)) throw fail("a storage must have a length");
  if (view !== undefined && view !== null) throw fail("views of storages are not supported");
  return new Storage(element, key, length);
}

const isCount = (value: unknown, most: number): value is number =>
  typeof value === "number" && Number.isInteger(value) && value >= 0 && value <= most;

function counts(
  value: Pickled | undefined,
  what: string,
  most: number,
  fail: (p: string) => Error,
) {
  const items = value instanceof Tuple || value instanceof List ? value.items : undefined;
  if (!items || items.length > TORCH_LIMITS.rank) {
    throw fail(`${what} of a tensor must be a tuple of at most ${TORCH_LIMITS.rank} numbers`);
  }
  return items.map((item) => {
    if (!isCount(item, most)) throw fail(`${what} of a tensor must be 0 … ${most}`);
    return item;
  });
}

function strided(
  storage: Pickled | undefined,
  offset: Pickled | undefined,
  size: Pickled | undefined,
  stride: Pickled | undefined,
  scheme: QScheme | undefined,
  fail: (problem: string) => Error,
): StridedTensor {
  if (!(storage instanceof Storage)) throw fail("a tensor must have a storage");
  const sizes = counts(size, "the size", TORCH_LIMITS.dimSize, fail);
  const strides = counts(stride, "the stride", Number.MAX_SAFE_INTEGER, fail);
  if (!isCount(offset, Number.MAX_SAFE_INTEGER)) throw fail("a tensor must have an offset");
  if (sizes.length !== strides.length) throw fail("a tensor must have one stride per size");
  const reach = sizes.reduce((sum, dim, axis) => sum + (dim - 1) * (strides[axis] ?? 0), offset);
  if (!sizes.includes(0) && reach >= storage.length) {
    throw fail(
      `a tensor of size [${sizes.join(", ")}] reaches element ${reach} of a storage of ${storage.length}`,
    );
  }
  return new StridedTensor(storage, offset, sizes, strides, scheme);
}

function readScheme(value: Pickled | undefined, fail: (problem: string) => Error): QScheme {
  const [tag, first, second, third] = value instanceof Tuple ? value.items : [];
  const name = tag instanceof Global ? tag.name : "";
  if (name === "torch.per_tensor_affine" || name === "torch.per_tensor_symmetric") {
    const scale = first instanceof PyFloat ? first.value : NaN;
    if (typeof second !== "number") throw fail("a quantized tensor must have a zero point");
    return { kind: "perTensor", scale, zeroPoint: second };
  }
  if (
    !name.startsWith("torch.per_channel_") ||
    !(first instanceof StridedTensor) ||
    !(second instanceof StridedTensor) ||
    !isCount(third, TORCH_LIMITS.rank)
  ) {
    const got = name || kindOf(value ?? null);
    throw fail(`a quantized tensor must be per_tensor_affine or per_channel_affine; got ${got}`);
  }
  return { kind: "perChannel", scales: first, zeroPoints: second, axis: third };
}
