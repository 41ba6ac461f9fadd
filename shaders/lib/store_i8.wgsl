// The end of an integer convolution: out = requantize(bias + acc) [⊕ residual]     docs/quantization.md (29), (37)
//
// Needs lib/requantize.wgsl, lib/real_sum.wgsl, lib/bounds_i8.wgsl, lib/dot4.wgsl, withResidual (lib/residual_now.wgsl), `params` with
// outWords, groupOuts, zeroPoint, low and high, and the bindings `bias`, `multiplier`, `residual` and `out`.
override WIDE: bool = false;     // |bias + acc| may pass 2²⁴: docs/quantization.md (33)
override CHUNKED: bool = false;  // Σ |x · filter| may: where sums are floats, totals are taken before they do
override OFFSETS: bool = false;  // a channel's weights are the filter's and an offset, which lies behind the biases;
                                 // `residual` holds the window sums that it meets, (pixels, groups): window_sums_i8.wgsl

// What an output word has of its own.
struct Column {
  bias: vec4i,
  realBias: vec4f,
  multiplier: vec4f,
  rounding: Rounding,
}

fn columnOf(word: u32) -> Column {
  let words = params.outWords;
  return Column(bias[word], floatBias(word, words), multiplier[word], roundingOf(word, words));
}

fn storeReal(pixel: u32, word: u32, real: vec4f, c: Column) {
  let at = pixel * params.outWords + word;
  out[at] = pack(withResidual(requantize(real, c.multiplier, c.rounding), at));
}

// What the offsets of the weights add.
fn offsetSum(pixel: u32, word: u32) -> vec4i {
  if (!OFFSETS) { return vec4i(); }
  let groups = params.outWords / params.groupOuts;
  return bias[params.outWords + word] * bitcast<i32>(residual[pixel * groups + word / params.groupOuts]);
}

fn store(pixel: u32, word: u32, acc: vec4i, c: Column) {
  storeReal(pixel, word, realSum(c.bias + acc + offsetSum(pixel, word), c.realBias), c);
}

// acc, and sums that no total was taken of. Where both stay below 2²⁴ a float holds them, and acc is 0. With a float
// bias there would be three terms, which a compiler may add in another order.
fn storeSums(pixel: u32, word: u32, acc: vec4i, sums: Sums, c: Column) {
  if (WIDE || CHUNKED || FLOAT_BIAS || OFFSETS) {
    store(pixel, word, acc + total(sums), c);
    return;
  }
  storeReal(pixel, word, realTotal(sums) + vec4f(c.bias), c);
}
