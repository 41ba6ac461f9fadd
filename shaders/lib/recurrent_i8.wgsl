// What lstm_dynamic_i8.wgsl and gru_dynamic_i8.wgsl share: before each step h becomes bytes, with parameters
// from the range of the workgroup's elements, and R · h is a product of bytes.
//
//   R·h = fl(f32(Σ (q − z) w) · fl(s · sw)) + b           docs/quantization.md (39)
//
// h and c stay in hOut and cOut, where the invocation that owns a word is the only one to read it.
// Needs lib/recurrent.wgsl, lib/dynamic.wgsl and what that needs, lib/requantize.wgsl (wideToFloat), and the
// bindings `weights`, `lengths`, `hFrom` and `hOut`.
override WIDE: u32 = 0; // |acc| may pass 2²⁴: docs/quantization.md (33)

var<workgroup> ranges: array<vec2f, WORKGROUP>;
var<workgroup> chosen: Parameters;
var<workgroup> bytes: array<u32, ROOM>; // (span, words)

// A row of R times the state: sums of w, scales, bias; each four lanes.
fn afterProduct(acc: vec4i, at: u32, p: Parameters) -> vec4f {
  let whole = acc - p.zeroPoint * bitcast<vec4i>(weights[at]);
  var real = vec4f(whole);
  if (WIDE == 1u) { real = wideToFloat(whole); }
  return real * (p.scale * bitcast<vec4f>(weights[at + 1u])) + bitcast<vec4f>(weights[at + 2u]);
}

// Words whose sums of int8 products stay within 2²⁴, where lib/dot4_unpacked.wgsl sums in float.
const CHUNK = 256u;

fn stateAt(b: u32, direction: u32, w: u32) -> u32 {
  return b * params.toBatch + direction * params.toDirection + w;
}

fn lengthOf(b: u32) -> u32 {
  return u32(clamp(lengths[b * params.lengthStride], 0, i32(params.time)));
}

fn rangeOf(v: vec4f) -> vec2f {
  return vec2f(min(min(v.x, v.y), min(v.z, v.w)), max(max(v.x, v.y), max(v.z, v.w)));
}
