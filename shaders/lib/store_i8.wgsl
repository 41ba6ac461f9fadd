// The end of an integer convolution: out[at] = requantize(acc) [⊕ residual[at]]     docs/quantization.md (29), (37)
//
// Needs lib/requantize.wgsl, lib/real_sum.wgsl, lib/residual.wgsl, lib/dot4.wgsl, and the bindings `residual` and `out`.
override RESIDUAL: bool = false; // the quantized addition follows in registers; else residual is not read
override WIDE: bool = false;     // |acc| may pass 2²⁴: docs/quantization.md (33)

fn store(at: u32, acc: vec4i, b: vec4f, m: vec4f, r: Rounding) {
  var q = requantize(realSum(acc, b), m, r);
  if (RESIDUAL) { q = addResidual(q, lanes(residual[at])); }
  out[at] = pack(q);
}
