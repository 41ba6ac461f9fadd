// The end of an integer convolution: out[at] = requantize(acc) [⊕ residual[at]]     docs/quantization.md (29), (37)
//
// Needs lib/requantize.wgsl, lib/residual.wgsl, lib/dot4.wgsl, and the bindings `residual` and `out`.
override RESIDUAL: bool = false; // the quantized addition follows in registers; else residual is not read
override WIDE: bool = false;     // |acc| may pass 2²⁴: docs/quantization.md (33)

fn store(at: u32, acc: vec4i, m: vec4f, r: Rounding) {
  var real = vec4f(acc);
  if (WIDE) { real = wideToFloat(acc); }
  var q = requantize(real, m, r);
  if (RESIDUAL) { q = addResidual(q, lanes(residual[at])); }
  out[at] = pack(q);
}
