// The end of an integer product whose x was quantized a dispatch before, as reals:
//
// out[p, o] = clamp(fl(fl(f32(acc − zeroPoint[p] · sums[o]) · fl(scale[p] · factor[o])) + bias[o]), low, high)
//                                                                    docs/quantization.md (24), (39)
// A compiler may fuse the product with the sum: (40).
// Needs lib/requantize.wgsl (wideToFloat), lib/dot4.wgsl, `params` with outWords, low and high, and the bindings
// `sums`, `factors`, `scale`, `zeroPoint` and `out`.
override PER_ROW: bool = false; // each row of x has its own scale and zero point, else the first one holds
override WIDE: bool = false;    // |acc| may pass 2²⁴: docs/quantization.md (33)
override CHUNKED: bool = false; // Σ |x · filter| may: where sums are floats, totals are taken before they do

// What an output word has of its own.
struct Column {
  sums: vec4i,
  factor: vec4f,
  bias: vec4f,
}

fn columnOf(word: u32) -> Column {
  return Column(sums[word], factors[word], factors[params.outWords + word]);
}

fn storeReal(pixel: u32, word: u32, real: vec4f, row: u32, c: Column) {
  let y = real * (scale[row].x * c.factor) + c.bias;
  out[pixel * params.outWords + word] = clamp(y, vec4f(params.low), vec4f(params.high));
}

fn store(pixel: u32, word: u32, acc: vec4i, c: Column) {
  let row = select(0u, pixel, PER_ROW);
  let whole = acc - lanes(zeroPoint[row]).x * c.sums;
  var real = vec4f(whole);
  if (WIDE) { real = wideToFloat(whole); }
  storeReal(pixel, word, real, row, c);
}

// acc, and sums that no total was taken of. Where all of them stay below 2²⁴ a float holds them, and acc is 0.
fn storeSums(pixel: u32, word: u32, acc: vec4i, sums: Sums, c: Column) {
  if (WIDE || CHUNKED) {
    store(pixel, word, acc + total(sums), c);
    return;
  }
  let row = select(0u, pixel, PER_ROW);
  let shift = f32(lanes(zeroPoint[row]).x) * vec4f(c.sums);
  storeReal(pixel, word, realTotal(sums) - shift, row, c);
}
