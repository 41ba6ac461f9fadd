// use lib/grid.wgsl
// use lib/dot4.wgsl
// use lib/broadcast.wgsl
// use lib/requantize.wgsl
//
// out = a + b or a · b on quantized operands, with numpy broadcasting.    docs/quantization.md (37), (35)
//
// add: two products in fixed point, (a − za)·Ma + (b − zb)·Mb, shifted right by k, ties to even: two
// float products would leave the rounding to the compiler. Subtraction is a negative Mb.
// mul: requantize((a − za)(b − zb)). An invocation owns one word.

override WORKGROUP: u32 = 64;
override MULTIPLY: bool = false;

struct Params {
  count: u32, // words of out
  dim1: u32,  // physical sizes of out, outermost first; dim0 is implied
  dim2: u32,
  dim3: u32,
  dim4: u32,
  dim5: u32,  // words of the last axis
  a0: u32,    // strides of a in words, 0 where it repeats
  a1: u32,
  a2: u32,
  a3: u32,
  a4: u32,
  a5: u32,
  b0: u32,    // strides of b in words
  b1: u32,
  b2: u32,
  b3: u32,
  b4: u32,
  b5: u32,
  aSplat: u32, // 1: a has one lane, repeated along the last axis
  bSplat: u32,
  aZero: i32,
  bZero: i32,
  aMultiplier: i32, // Ma, Mb and k of (37)
  bMultiplier: i32,
  shift: u32,
  multiplier: f32, // of (35)
  zeroPoint: i32,  // of out
  low: i32,
  high: i32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> a: array<u32>;
@group(0) @binding(2) var<storage, read> b: array<u32>;
@group(0) @binding(3) var<storage, read_write> out: array<u32>; // (dim0, …, dim5)

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let offset = broadcastOffsets(index);
  var p = lanes(a[offset.x]) - params.aZero;
  if (params.aSplat == 1u) { p = p.xxxx; }
  var q = lanes(b[offset.y]) - params.bZero;
  if (params.bSplat == 1u) { q = q.xxxx; }
  if (MULTIPLY) {
    let y = requantize(vec4f(p * q), vec4f(params.multiplier), rounding(params.zeroPoint, params.low, params.high));
    out[index] = pack(y);
  } else {
    let acc = roundShiftEven(p * params.aMultiplier + q * params.bMultiplier, params.shift);
    out[index] = pack(clamp(acc + params.zeroPoint, vec4i(params.low), vec4i(params.high)));
  }
}
