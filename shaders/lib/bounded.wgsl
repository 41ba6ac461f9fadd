// clamp(y, low, high) of a word of results, where NaN stays NaN: WGSL's clamp may make a number of it, so bits decide.
// Padding lanes become 0, since 0 · ∞ in them is NaN, and what reads them multiplies by 0 as well.
// Needs `params` with last, the elements of the last axis.
fn bounded(y: vec4f, low: vec4f, high: vec4f, word: u32) -> vec4f {
  let isNan = (bitcast<vec4u>(y) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
  let isReal = word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
  return select(vec4f(0), select(clamp(y, low, high), y, isNan), isReal);
}
