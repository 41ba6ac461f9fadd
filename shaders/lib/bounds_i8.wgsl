// The rounding of a word of results: with the bounds of all channels, or its channels' own, which lie less
// the zero point behind the multipliers and float biases: lows, then highs.
// Needs lib/requantize.wgsl, lib/real_sum.wgsl, `params` with zeroPoint, low and high, and `multiplier`.
override CHANNEL_BOUNDS: bool = false;

fn roundingOf(word: u32, words: u32) -> Rounding {
  if (CHANNEL_BOUNDS) {
    let at = select(words, 2u * words, FLOAT_BIAS) + word;
    return Rounding(params.zeroPoint, multiplier[at], multiplier[at + words]);
  }
  return rounding(params.zeroPoint, params.low, params.high);
}
