// Fresh names, in constant time each: a file with a million nodes called "a" must not take a million
// squared steps.

export class Names {
  #used = new Set<string>();
  #next = new Map<string, number>();
  #longest: number;

  /** `longest`: characters of a fresh name at most, beside its number. */
  constructor(longest = Infinity) {
    this.#longest = longest;
  }

  /** `wanted`, or `wanted_1`, `wanted_2`, … where that is taken. The result is taken from now on. Of a name that
   *  is too long the end is kept, which tells names of one file apart. */
  fresh(whole: string): string {
    const wanted = tailOf(whole, this.#longest);
    let name = wanted;
    while (this.#used.has(name)) {
      const count = this.#next.get(wanted) ?? 1;
      this.#next.set(wanted, count + 1);
      name = `${wanted}_${count}`;
    }
    this.#used.add(name);
    return name;
  }

  /** `name`, which is taken, or a shorter one. */
  cut(name: string): string {
    return name.length > this.#longest ? this.fresh(name) : name;
  }

  /** Take `name`; false where it was taken already. */
  take(name: string): boolean {
    if (this.#used.has(name)) return false;
    this.#used.add(name);
    return true;
  }
}

/** The last characters of `text`, `longest` at most; no half of a surrogate pair. */
function tailOf(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return text.slice(-longest).replace(/^[\udc00-\udfff]/, "");
}
