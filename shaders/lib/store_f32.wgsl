// The end of a float convolution: out[at] = clamp(sum [+ residual[at]], low, high)
//
// Needs `params` with low and high, and the bindings `residual` and `out`.
override RESIDUAL: bool = false; // residual is added before the clamp; else its binding is not read

fn store(at: u32, sum: vec4f) {
  var y = sum;
  if (RESIDUAL) { y += residual[at]; }
  out[at] = clamp(y, vec4f(params.low), vec4f(params.high));
}
