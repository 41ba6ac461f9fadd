// use lib/grid.wgsl
//
// out[b, m, n] = clamp(alpha · Σₖ left[b, m, k] · right[b, k, n], low, high)
//
// Both operands are activations, of any layout: all strides are in elements. An invocation owns one
// element of out. The plain form: it serves odd shapes; constant right operands run as convolutions.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,   // invocations: batches · m · nPadded
  m: u32,
  n: u32,
  nPadded: u32, // n, or with the last axis its padding, which is written 0
  k: u32,
  batch1: u32,  // sizes of the two inner batch axes
  batch2: u32,
  leftBatch0: u32,
  leftBatch1: u32,
  leftBatch2: u32,
  leftM: u32,
  leftK: u32,
  rightBatch0: u32,
  rightBatch1: u32,
  rightBatch2: u32,
  rightK: u32,
  rightN: u32,
  outBatch0: u32,
  outBatch1: u32,
  outBatch2: u32,
  outM: u32,
  outN: u32,
  leftBase: u32, // where the first matrix begins
  rightBase: u32,
  outBase: u32,
  alpha: f32,
  low: f32,
  high: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> left: array<f32>;
@group(0) @binding(2) var<storage, read> right: array<f32>;
@group(0) @binding(3) var<storage, read_write> out: array<f32>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(global_invocation_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = flatIndex(id, groups, WORKGROUP);
  if (index >= params.count) { return; }
  let row = index / params.nPadded;
  let n = index - row * params.nPadded;
  let b = row / params.m;
  let m = row - b * params.m;
  let b1 = b / params.batch2;
  let c2 = b - b1 * params.batch2;
  let c0 = b1 / params.batch1;
  let c1 = b1 - c0 * params.batch1;
  let at = params.outBase + c0 * params.outBatch0 + c1 * params.outBatch1 + c2 * params.outBatch2 + m * params.outM + n * params.outN;
  if (n >= params.n) {
    out[at] = 0.0;
    return;
  }
  var i = params.leftBase + c0 * params.leftBatch0 + c1 * params.leftBatch1 + c2 * params.leftBatch2 + m * params.leftM;
  var j = params.rightBase + c0 * params.rightBatch0 + c1 * params.rightBatch1 + c2 * params.rightBatch2 + n * params.rightN;
  var acc = 0.0;
  for (var k = 0u; k < params.k; k++) {
    acc += left[i] * right[j];
    i += params.leftK;
    j += params.rightK;
  }
  let y = acc * params.alpha;
  let isNan = (bitcast<u32>(y) & 0x7fffffffu) > 0x7f800000u; // no clamp hides it
  out[at] = select(clamp(y, params.low, params.high), y, isNan);
}
