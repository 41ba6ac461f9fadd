// Parameters from a range, and the bytes they give: docs/quantization.md (38) and (5), or with TORCH (14) and
// (2). q lies as int8, and so do zero points: qmin is its least value, and parameters are chosen for
// qmin … qmin + levels; q itself goes on to 127.
//
// (14) is made in f64: lib/double.wgsl. (5) wants the true quotient: x · reciprocal is within 2⁻¹⁴ of it, since
// that is at most 255.5, and only next to a half step does the difference count: it is taken there.
// Needs lib/divide.wgsl, lib/double.wgsl, lib/choose_torch.wgsl, lib/dot4.wgsl, and `params` with qmin and levels.
override TORCH: bool = false;

struct Parameters {
  scale: f32,
  reciprocal: f32,
  zeroPoint: i32,
}

// Of data between range.x ≤ 0 and range.y ≥ 0.
fn parametersOf(range: vec2f) -> Parameters {
  let levels = f32(params.levels);
  if (TORCH) {
    let chosen = chooseTorch(bitcast<u32>(range.x), bitcast<u32>(range.y), params.levels);
    let scale = bitcast<f32>(chosen.x);
    return Parameters(scale, divide(1.0, scale), i32(chosen.y) + params.qmin);
  }
  var scale = divide(range.y - range.x, levels);
  if (scale == 0.0) { scale = 1.0; }
  let zeroPoint = i32(clamp(round(divide(-range.x, scale)), 0.0, levels));
  return Parameters(scale, divide(1.0, scale), zeroPoint + params.qmin);
}

fn stepOf(v: f32, p: Parameters) -> f32 {
  let near = v * p.reciprocal;
  if (TORCH || abs(fract(near) - 0.5) > 0.001) { return round(near); }
  let exact = divide(abs(v), p.scale);
  return round(select(exact, -exact, v < 0.0));
}

fn quantizeWord(v: vec4f, p: Parameters) -> u32 {
  let whole = vec4f(stepOf(v.x, p), stepOf(v.y, p), stepOf(v.z, p), stepOf(v.w, p));
  let q = vec4i(clamp(whole, vec4f(-255), vec4f(255))) + p.zeroPoint;
  return pack(clamp(q, vec4i(params.qmin), vec4i(127)));
}

// A zero point as a stored byte, alone in its word.
fn byteOf(zeroPoint: i32) -> u32 {
  return u32(zeroPoint) & 255u;
}
