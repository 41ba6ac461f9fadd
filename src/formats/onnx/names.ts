// Fresh names, in constant time each: a file with a million nodes called "a" must not take a million
// squared steps.

export class Names {
  #used = new Set<string>();
  #next = new Map<string, number>();

  /** `wanted`, or `wanted_1`, `wanted_2`, … where that is taken. The result is taken from now on. */
  fresh(wanted: string): string {
    let name = wanted;
    while (this.#used.has(name)) {
      const count = this.#next.get(wanted) ?? 1;
      this.#next.set(wanted, count + 1);
      name = `${wanted}_${count}`;
    }
    this.#used.add(name);
    return name;
  }

  /** Take `name`; false where it was taken already. */
  take(name: string): boolean {
    if (this.#used.has(name)) return false;
    this.#used.add(name);
    return true;
  }
}
