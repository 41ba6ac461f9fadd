// rint(fma(x, r, z)), r = reciprocal: as PyTorch rounds where it learns a scale, docs/quantization.md (20). WGSL's
// fma need not be fused. It differs from z + rint(fl(x · r)) only where fl(x · r) lies next to a half step h: there
// the distance of the true product from h decides, by parts whose products are exact.
fn split(v: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(v) & 0xfffff000u); // 12 bits; the rest has 12, too
}

fn fusedRound(x: f32, r: f32, z: f32) -> f32 {
  let p = x * r;
  let whole = round(p) + z;
  // A sum below 512 has steps of 2⁻¹⁵; greater ones are clamped.
  if (abs(fract(p) - 0.5) > 0.0001 || abs(p) > 1024.0) { return whole; }
  let h = floor(p) + 0.5;
  let xHigh = split(x);
  let rHigh = split(r);
  let xLow = x - xHigh;
  let rLow = r - rHigh;
  let distance = ((xHigh * rHigh - h) + (xHigh * rLow + xLow * rHigh)) + xLow * rLow;
  let v = h + z; // exact
  let halfStep = bitcast<f32>(bitcast<u32>(v) & 0x7f800000u) * 5.9604644775390625e-8; // 2⁻²⁴
  if (abs(distance) <= halfStep) { return round(v); } // rounded to the tie
  return select(floor(v), ceil(v), distance > 0.0);
}
