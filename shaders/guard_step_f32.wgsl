// out = hyper, but with `apply` 0 where loss is NaN or has overflowed          src/graph/updates.ts
// By the bits: compilers may assume that floats are finite. One invocation does it.

struct Params {
  limit: u32, // bits of OVERFLOW
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> hyper: array<vec4f>;     // (2)
@group(0) @binding(2) var<storage, read> loss: array<vec4u>;      // (1), lane 0: bits of a float32
@group(0) @binding(3) var<storage, read_write> out: array<vec4f>; // (2)

@compute @workgroup_size(1)
fn main() {
  let isFinite = (loss[0].x & 0x7fffffffu) < params.limit;
  out[0] = select(vec4f(hyper[0].x, 0.0, hyper[0].zw), hyper[0], isFinite);
  out[1] = hyper[1];
}
