// Shaders whose tile decides how many accumulators an invocation holds are written once, with loops
// that this expands before WGSL sees them: WGSL has no generics, and an array of accumulators stays in
// registers only where a compiler unrolls every loop over it.
//
//   $for i in ROWS            the lines up to the matching $end, once for each i = 0 … ROWS − 1 (or 4)
//   ${i}, ${i * STRIDE + j}   a loop's index or a size, or a sum of products of them

/** The text of `code` for these sizes. Throws on an unknown name or an $end too few or too many. */
export function expand(code: string, sizes: Readonly<Record<string, number>>): string {
  const lines = code.split("\n");
  const { text, next } = expandLines(lines, 0, new Map(Object.entries(sizes)));
  if (next < lines.length) throw new Error(`template: line ${next + 1}: $end without $for`);
  return text.join("\n");
}

function expandLines(
  lines: readonly string[],
  from: number,
  names: ReadonlyMap<string, number>,
): { text: string[]; next: number } {
  const text: string[] = [];
  const valueOf = (name: string, line: number): number => {
    const value = names.get(name);
    if (value === undefined)
      throw new Error(`template: line ${line + 1}: nothing is called ${name}`);
    return value;
  };
  const evaluate = (sum: string, line: number): number =>
    sum
      .split("+")
      .map((product) =>
        product
          .split("*")
          .map((factor) => factor.trim())
          .map((factor) => (/^\d+$/.test(factor) ? Number(factor) : valueOf(factor, line)))
          .reduce((a, b) => a * b),
      )
      .reduce((a, b) => a + b);
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? "";
    if (/^\s*\$end\s*$/.test(line)) return { text, next: at };
    const loop = /^\s*\$for (\w+) in (\w+)\s*$/.exec(line);
    if (!loop) {
      text.push(line.replace(/\$\{([^}]+)\}/g, (_, sum: string) => String(evaluate(sum, at))));
      continue;
    }
    const [, index = "", size = ""] = loop;
    const count = evaluate(size, at);
    let end = at;
    // Once at least, to find the $end; a loop of no turns leaves nothing.
    for (let turn = 0; turn < Math.max(1, count); turn++) {
      const body = expandLines(lines, at + 1, new Map([...names, [index, turn]]));
      if (body.next >= lines.length) throw new Error(`template: line ${at + 1}: $for without $end`);
      if (turn < count) text.push(...body.text);
      end = body.next;
    }
    at = end;
  }
  return { text, next: lines.length };
}
