// Round numbers for an axis.

/** Up to about `count` multiples of 1, 2 or 5 times a power of ten that cover 0 … `most`; the last is ≥ `most`. */
export function ticksTo(most: number, count: number): number[] {
  if (!(most > 0)) return [0, 1];
  const rough = most / count;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10);
  const length = Math.ceil(most / step - 1e-9) + 1;
  return Array.from({ length }, (_, i) => Number((i * step).toPrecision(12)));
}

/** The same in whole numbers, up to and with no more than `most`. */
export function wholeTicksTo(most: number, count: number): number[] {
  return ticksTo(Math.max(1, most), count).filter((tick) => Number.isInteger(tick) && tick <= most);
}
