// What a product of integers is multiplied by: f32(acc), or f32(acc) + fl(bias / (sx · sw)) where the bias
// is a float, docs/quantization.md (30). acc has the integer bias, x's zero point folded in. The sum is
// rounded before the product, so there is nothing to fuse.
// Needs WIDE, and `multiplier`, behind whose `words` words those biases lie.
override FLOAT_BIAS: bool = false;

fn floatBias(word: u32, words: u32) -> vec4f {
  if (FLOAT_BIAS) { return multiplier[words + word]; }
  return vec4f();
}

fn realSum(acc: vec4i, bias: vec4f) -> vec4f {
  var real = vec4f(acc);
  if (WIDE) { real = wideToFloat(acc); }
  if (FLOAT_BIAS) { real += bias; }
  return real;
}
