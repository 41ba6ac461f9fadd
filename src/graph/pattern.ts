// Names by pattern, as overrides of quantization and groups of parameters give them: * stands for any text, and
// the most specific one wins.

/** Whether `pattern`, in which * stands for any text, is `text`. */
export function matchesPattern(pattern: string, text: string): boolean {
  const parts = pattern.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(text);
}

/** Of `patterns`, the one that means `name` best: the name itself before a pattern, the longest among patterns. */
export function mostSpecific(patterns: readonly string[], name: string): string | undefined {
  if (patterns.includes(name)) return name;
  return patterns
    .filter((pattern) => pattern.includes("*") && matchesPattern(pattern, name))
    .sort((a, b) => b.length - a.length)[0];
}
