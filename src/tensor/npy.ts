// NumPy's .npy files, version 1 and 2: a header with dtype, order and shape, then the elements.
// https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html

import { FormatError } from "../errors.ts";
import { bytesPerElement, view, type DType } from "./dtype.ts";
import { narrowed } from "./narrowed.ts";
import { sizeOf, tensor, type Tensor } from "./tensor.ts";

const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];

/** dtype of each description; float64 is read as float32 (`narrowed`). */
const descriptions = new Map<string, DType>([
  ["<f4", "float32"],
  ["<f2", "float16"],
  ["<i4", "int32"],
  ["<i8", "int64"],
  ["|i1", "int8"],
  ["|u1", "uint8"],
  ["|b1", "bool"],
]);
const DOUBLE = "<f8";

const REWRITE =
  "Write it with numpy.save from a C-ordered float32, float64, float16, int32, int64, int8, uint8 or bool array.";

/** Axes of an array, the size of one, and bytes of the header (NumPy's own limit is 10,000). */
const LIMITS = { rank: 32, dimSize: 2 ** 31 - 1, headerBytes: 64 * 1024 };

/** The tensor in an .npy file; `what` is how errors call it. Throws FormatError. */
export function parseNpy(bytes: Uint8Array, what = "npy"): Tensor {
  if (bytes.length < 10 || MAGIC.some((byte, index) => bytes[index] !== byte)) {
    throw new FormatError(what, "the file must begin with \\x93NUMPY", REWRITE, 0);
  }
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const wide = (bytes[6] ?? 1) > 1;
  const start = wide ? 12 : 10;
  const length = wide && bytes.length >= 12 ? data.getUint32(8, true) : data.getUint16(8, true);
  if (start + length > bytes.length) {
    const problem = `the header says ${length} bytes; the file ends before them`;
    throw new FormatError(what, problem, REWRITE, 8);
  }
  if (length > LIMITS.headerBytes) {
    const problem = `the header has ${length} bytes; ${LIMITS.headerBytes} are the limit`;
    throw new FormatError(what, problem, REWRITE, 8);
  }
  const header = new TextDecoder("latin1").decode(bytes.subarray(start, start + length));
  const description = /'descr':\s*'([^']*)'/.exec(header)?.[1] ?? "";
  const isDouble = description === DOUBLE;
  const dtype = isDouble ? "float32" : descriptions.get(description);
  const shapeText = /'shape':\s*\(([^)]*)\)/.exec(header)?.[1];
  if (dtype === undefined || shapeText === undefined || !/'fortran_order':\s*False/.test(header)) {
    throw new FormatError(
      what,
      `the array must be C-ordered and of a known dtype; got ${header.trim().slice(0, 200)}`,
      REWRITE,
      start,
    );
  }
  const sizes = shapeText.split(",").map((size) => size.trim());
  const shape = sizes.filter((size) => size !== "").map(Number);
  if (
    shape.length > LIMITS.rank ||
    !sizes.every((size) => /^\d*$/.test(size)) ||
    shape.some((size) => size > LIMITS.dimSize)
  ) {
    const problem = `the shape must be whole numbers; got (${shapeText.slice(0, 200)})`;
    throw new FormatError(what, problem, REWRITE, start);
  }
  const count = sizeOf(shape);
  const needed = count * (isDouble ? 8 : bytesPerElement(dtype));
  const offset = start + length;
  if (!Number.isSafeInteger(count) || bytes.length - offset !== needed) {
    throw new FormatError(
      what,
      `shape (${shapeText}) needs ${needed} bytes; got ${bytes.length - offset}`,
      REWRITE,
      offset,
    );
  }
  // A copy is aligned for every element size. (A Node Buffer has a slice() that does not copy.)
  const copy = Uint8Array.prototype.slice.call(bytes, offset).buffer as ArrayBuffer;
  if (isDouble) return tensor("float32", shape, narrowed(new Float64Array(copy), what));
  return tensor(dtype, shape, view(dtype, copy, 0, count));
}

/** The bytes of an .npy file, version 1. */
export function formatNpy({ dtype, shape, data }: Tensor): Uint8Array {
  const description = [...descriptions].find(([, name]) => name === dtype)?.[0] ?? "";
  const dims = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '${description}', 'fortran_order': False, 'shape': (${dims}), }`;
  const header = dictionary.padEnd(Math.ceil((dictionary.length + 11) / 64) * 64 - 11) + "\n";
  const out = new Uint8Array(10 + header.length + data.byteLength);
  out.set([...MAGIC, 1, 0]);
  new DataView(out.buffer).setUint16(8, header.length, true);
  out.set(new TextEncoder().encode(header), 10);
  out.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), 10 + header.length);
  return out;
}
