// The constants of a session: plans for other sizes of the same graph hold the very same arrays, so that
// packing is done once and a device can tell by identity what it has already. What lowering names is
// packed once by that name; anything else is found again by its content.

/** One array of bytes that plans share. */
export class ConstantPool {
  readonly #named = new Map<string, unknown>();
  readonly #known = new Set<ArrayBufferView>();
  readonly #byContent = new Map<number, ArrayBufferView[]>();

  /** What `make` gave the first time that `key` was asked for; `key` names all that it depends on. */
  memo<T>(key: string, make: () => T): T {
    if (this.#named.has(key)) return this.#named.get(key) as T;
    const made = make();
    this.#named.set(key, made);
    return made;
  }

  /** The same for an array that a plan holds. */
  packed<A extends ArrayBufferView>(key: string, make: () => A): A {
    return this.memo(key, () => {
      const made = make();
      this.#known.add(made);
      return made;
    });
  }

  /** `data`, or an array of the same bytes that was here before. */
  intern(data: ArrayBufferView): ArrayBufferView {
    if (this.#known.has(data)) return data;
    const bytes = bytesOf(data);
    const hash = hashOf(bytes);
    const others = this.#byContent.get(hash) ?? [];
    const same = others.find((other) => sameBytes(bytesOf(other), bytes));
    if (same) return same;
    this.#byContent.set(hash, [...others, data]);
    this.#known.add(data);
    return data;
  }
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** FNV-1a over the bytes. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5 ^ bytes.length;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash;
}

function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, index) => byte === b[index]);
}
