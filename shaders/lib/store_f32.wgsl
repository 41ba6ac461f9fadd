// The end of a float convolution: out[pixel, word] = clamp(sum [+ residual[pixel, word]], low, high)
//
// Needs lib/bounds_f32.wgsl, lib/bounded.wgsl, `params` with outWords, last, low and high, and the bindings `residual` and `out`.
override RESIDUAL: bool = false; // residual is added before the clamp; else its binding is not read

fn store(pixel: u32, word: u32, sum: vec4f) {
  let words = params.outWords;
  let at = pixel * words + word;
  var y = sum;
  if (RESIDUAL) { y += residual[at]; }
  out[at] = bounded(y, lowOf(word, words), highOf(word, words), word);
}
