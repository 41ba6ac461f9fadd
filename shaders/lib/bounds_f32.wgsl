// The bounds of a word of results: those of all channels, or its channels' own, which lie behind the
// biases: lows, then highs.
// Needs `params` with low and high, and `bias`, of `words` words.
override CHANNEL_BOUNDS: bool = false;

fn lowOf(word: u32, words: u32) -> vec4f {
  if (CHANNEL_BOUNDS) { return bias[words + word]; }
  return vec4f(params.low);
}

fn highOf(word: u32, words: u32) -> vec4f {
  if (CHANNEL_BOUNDS) { return bias[2u * words + word]; }
  return vec4f(params.high);
}
