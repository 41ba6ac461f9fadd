// Which of PyTorch's containers a file is, and its object. The zip form holds a pickle and one entry a
// storage; the legacy form is a row of pickles with the storages behind them.

import { InputError } from "../../errors.ts";
import { damaged, torchBudget, TORCH_LIMITS, TORCH_ZIP } from "./limits.ts";
import { PickleReader } from "./pickle.ts";
import { List, Storage, StridedTensor, Tuple, ScriptObject, type Pickled } from "./pickled.ts";
import { itemsizeOf, TensorReader } from "./tensors.ts";
import { isZip, Zip } from "../zip/zip.ts";

export interface TorchFile {
  readonly object: Pickled;
  readonly tensors: TensorReader;
}

/** A TorchScript archive is a zip file with code beside its data. */
export interface ScriptArchive extends TorchFile {
  readonly zip: Zip;
  readonly root: string;
  /** `constants.pkl`, with the tensors of its own. */
  readonly constants: TorchFile;
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;

/** True where `bytes` begin as a PyTorch file: a zip archive or the legacy stream of pickles. */
export function isTorch(bytes: Uint8Array): boolean {
  return isZip(bytes) || (bytes[0] === 0x80 && (bytes[1] ?? 0) >= 2 && (bytes[1] ?? 0) <= 5);
}

/** What kind of zip file it is, by its entries. */
function contentsOf(zip: Zip): string {
  const has = (pattern: RegExp) => zip.names.some((name) => pattern.test(name));
  if (has(/\.onnx$/)) return "; an .onnx file lies in it: unpack it and pass that";
  if (has(/^model\.weights\.h5$/)) return "; it is a Keras model: export it to ONNX";
  if (has(/\.mlmodel$|Manifest\.json$/)) return "; it is a Core ML package";
  if (has(/\.npy$/)) return "; it holds NumPy arrays (.npz), which are data";
  return "";
}

/** The archive's `<root>/`; throws FormatError where there is no PyTorch data. */
function rootOf(zip: Zip): string {
  const roots = zip.names.flatMap((name) => /^([^/]+\/)data\.pkl$/.exec(name)?.[1] ?? []);
  const [root] = roots;
  if (root !== undefined && roots.length === 1) return root;
  throw damaged(
    root === undefined
      ? `the zip file holds no data.pkl: it was not made by torch.save or torch.jit.save${contentsOf(zip)}`
      : "the zip file holds two models",
  );
}

function readRecord(zip: Zip, root: string, record: string, folder: string): TorchFile {
  const name = `${root}${record}`;
  const bytes = zip.get(name);
  if (!bytes) throw damaged(`the archive holds no ${record}`);
  const object = new PickleReader(bytes, 0, zip.offsetOf(name) ?? 0).read();
  const tensors = new TensorReader((key) => zip.get(`${root}${folder}/${key}`), zip.budget);
  return { object, tensors };
}

function checkByteOrder(zip: Zip, root: string): void {
  const order = zip.get(`${root}byteorder`);
  if (order && new TextDecoder().decode(order.subarray(0, 16)) !== "little") {
    throw damaged("its numbers are not little-endian");
  }
}

function checkSize(bytes: Uint8Array): void {
  if (bytes.length <= TORCH_LIMITS.fileBytes) return;
  throw damaged(`the file has ${bytes.length} bytes; ${TORCH_LIMITS.fileBytes} are the limit`);
}

/** The TorchScript archive in `bytes`, undefined for any other PyTorch file. */
export function openScript(bytes: Uint8Array): ScriptArchive | undefined {
  checkSize(bytes);
  if (!isZip(bytes)) return undefined;
  const zip = new Zip(bytes, TORCH_ZIP, torchBudget(bytes.length));
  const root = rootOf(zip);
  if (!zip.names.some((name) => name.startsWith(`${root}code/`))) return undefined;
  checkByteOrder(zip, root);
  const { object, tensors } = readRecord(zip, root, "data.pkl", "data");
  const constants = zip.names.includes(`${root}constants.pkl`)
    ? readRecord(zip, root, "constants.pkl", "constants")
    : { object: new Tuple([]), tensors };
  return { object, tensors, zip, root, constants };
}

/** What torch.save wrote into `bytes`. Throws FormatError; InputError for a TorchScript archive. */
export function openCheckpoint(bytes: Uint8Array): TorchFile {
  checkSize(bytes);
  if (!isZip(bytes)) return readLegacy(bytes);
  const zip = new Zip(bytes, TORCH_ZIP, torchBudget(bytes.length));
  const root = rootOf(zip);
  checkByteOrder(zip, root);
  const file = readRecord(zip, root, "data.pkl", "data");
  if (file.object instanceof ScriptObject) {
    throw new InputError(
      `state dict: the file must hold tensors by name; got a TorchScript archive of ` +
        `${file.object.type}. It brings its own graph: pass it to load().`,
    );
  }
  return file;
}

/** Five pickles (magic, protocol, system, object, keys), then i64 length and bytes of each storage. */
function readLegacy(bytes: Uint8Array): TorchFile {
  let at = 0;
  const next = (): Pickled => {
    const reader = new PickleReader(bytes, at);
    const value = reader.read();
    at = reader.at;
    return value;
  };
  if (next() !== LEGACY_MAGIC) {
    throw damaged("it is a pickle, but none that torch.save wrote: the magic number is missing");
  }
  const protocol = next();
  if (protocol !== 1001) throw damaged("the legacy format must be of protocol 1001");
  const system = next();
  if (system instanceof Map && system.get("little_endian") === false) {
    throw damaged("its numbers are not little-endian");
  }
  const object = next();
  const keys = next();
  if (!(keys instanceof List)) throw damaged("the list of storages is missing", at);
  const types = storagesOf(object);
  const found = new Map<string, Uint8Array>();
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (const key of keys.items) {
    const storage = typeof key === "string" ? types.get(key) : undefined;
    if (!storage) throw damaged("a storage is listed that no tensor uses", at);
    if (at + 8 > bytes.length) throw damaged(`storage "${storage.key}" is cut off`, at);
    const count = view.getBigInt64(at, true);
    if (count !== BigInt(storage.length)) {
      throw damaged(
        `storage "${storage.key}" must have ${storage.length} elements; got ${count}`,
        at,
      );
    }
    const end = at + 8 + storage.length * itemsizeOf(storage.type);
    if (end > bytes.length) throw damaged(`storage "${storage.key}" is cut off`, at);
    found.set(storage.key, bytes.subarray(at + 8, end));
    at = end;
  }
  return { object, tensors: new TensorReader((key) => found.get(key), torchBudget(bytes.length)) };
}

/** Every storage that `object` reaches, by key. Values met twice are looked at once. */
function storagesOf(object: Pickled): Map<string, Storage> {
  const storages = new Map<string, Storage>();
  const seen = new Set<Pickled>();
  const open = [object];
  while (open.length > 0) {
    const value = open.pop() ?? null;
    if (typeof value !== "object" || value === null || seen.has(value)) continue;
    seen.add(value);
    if (value instanceof Map) for (const item of value.values()) open.push(item);
    else if (value instanceof Tuple || value instanceof List) {
      for (const item of value.items) open.push(item);
    } else if (value instanceof Storage) storages.set(value.key, value);
    else if (value instanceof StridedTensor) {
      open.push(value.storage);
      if (value.scheme?.kind === "perChannel")
        open.push(value.scheme.scales, value.scheme.zeroPoints);
    }
  }
  return storages;
}
