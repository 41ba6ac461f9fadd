// use lib/divide.wgsl
//
// s = fl(fl(hi − lo) / 255), 1 if below the least normal;  z = clamp(rint(fl(−lo / s)), 0, 255);  r = fl(1 / s)
//                                                                           docs/quantization.md (38)
//
// One invocation: the range is in a few parts, and s, z and r are one word each. WHAT chooses the one that
// out takes: each is a value of its own, with consumers of its own.

override WHAT: u32 = 0; // 0 s and 2 r, as bits in the first lane of four; 1 z as a stored byte, so less 128

struct Params {
  count: u32, // parts
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec2f>;       // (count): least and greatest
@group(0) @binding(2) var<storage, read_write> out: array<u32>; // (1) word

@compute @workgroup_size(1)
fn main() {
  var range = vec2f(0);
  for (var i = 0u; i < params.count; i++) {
    range = vec2f(min(range.x, x[i].x), max(range.y, x[i].y));
  }
  var scale = divide(range.y - range.x, 255.0);
  if (scale == 0.0) { scale = 1.0; }
  if (WHAT == 1u) {
    let zeroPoint = i32(clamp(round(divide(-range.x, scale)), 0.0, 255.0));
    out[0] = u32(zeroPoint - 128) & 255u;
    return;
  }
  out[0] = bitcast<u32>(select(scale, divide(1.0, scale), WHAT == 2u));
}
