// use lib/divide.wgsl
// use lib/double.wgsl
// use lib/choose_torch.wgsl
// use lib/range_params.wgsl
//
// range ← fl(range + fl(constant · fl(range of x − range))), the first time the range of x; scale and zeroPoint of it;
// out[c] = scale, fl(1 / scale), qmin − z, qmax − z                 docs/quantization.md (11), (9), (10), (14)
//
// x is a tensor of a few slices, each a channel or all there is, or with PARTS the (least, greatest) that
// range_f32.wgsl found in parts of one. A workgroup owns one slice, or with LAST a word of four: it strides over
// their words and joins in halves, and its first invocations own what is written.

override WORKGROUP: u32 = 64; // at least 4, a power of two
override LAST: bool = false;  // slices are the elements of x's last axis
override PARTS: bool = false;
override AVERAGE: bool = true; // else the range is that of x alone

struct Params {
  words: u32,      // of x's last axis, or of all parts
  last: u32,       // elements of it, padding excluded
  inner: u32,      // words of x in a row that are of one slice
  outer: u32,      // how often they come
  stride: u32,     // words from one time to the next
  slices: u32,
  greatest: u32,   // where the greatest begin in range
  opaque: u32,     // 0: no compiler knows, so none fuses the average's product with its sum
  constant: f32,
  qmin: f32,
  qmax: f32,
  eps: f32,
  zeroPoint: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> outRange: array<u32>;  // (2, slices), f32 by their bits
@group(0) @binding(3) var<storage, read_write> outScale: array<f32>;  // (slices)
@group(0) @binding(4) var<storage, read_write> outZero: array<f32>;   // (slices)
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;     // (slices)

var<workgroup> least: array<vec4f, WORKGROUP>;
var<workgroup> greatest: array<vec4f, WORKGROUP>;

fn moved(before: u32, now: f32) -> f32 {
  if (!AVERAGE || (before & 0x7fffffffu) == 0x7f800000u) { return now; } // ±∞: nothing was seen
  let m = bitcast<f32>(before);
  let part = params.constant * (now - m);
  return m + bitcast<f32>(bitcast<u32>(part) ^ params.opaque);
}

fn finish(slice: u32, low: f32, high: f32) {
  let min = moved(outRange[slice], low);
  let max = moved(outRange[params.greatest + slice], high);
  outRange[slice] = bitcast<u32>(min);
  outRange[params.greatest + slice] = bitcast<u32>(max);
  let chosen = chooseParams(min, max);
  outScale[slice] = chosen.scale;
  outZero[slice] = chosen.zeroPoint;
  let bounds = vec2f(params.qmin, params.qmax) - chosen.zeroPoint;
  out[slice] = vec4f(chosen.scale, divide(1.0, chosen.scale), bounds);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let group = id.y * groups.x + id.x;
  if (group * select(1u, 4u, LAST) >= params.slices) { return; } // the last row of the grid
  var low = vec4f(3.4028234663852886e38);
  var high = -low;
  let count = params.inner * params.outer;
  for (var i = local; i < count; i += WORKGROUP) {
    let index = (i / params.inner) * params.stride + group * params.inner + i % params.inner;
    let y = x[index];
    if (PARTS) {
      let pairs = select(y.xyxy, y, index * 4u + 2u < params.last);
      low = min(low, pairs.xxzz);
      high = max(high, pairs.yyww);
    } else {
      let first = (index % params.words) * 4u;
      let isReal = vec4u(first) + vec4u(0, 1, 2, 3) < vec4u(params.last);
      let real = select(y.xxxx, y, isReal); // the first lane always is
      low = min(low, real);
      high = max(high, real);
    }
  }
  least[local] = low;
  greatest[local] = high;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // publishes what invocations below 2 · half found
    if (local < half) {
      least[local] = min(least[local], least[local + half]);
      greatest[local] = max(greatest[local], greatest[local + half]);
    }
  }
  workgroupBarrier(); // publishes the first slot
  if (LAST) {
    let slice = group * 4u + local;
    if (local < 4u && slice < params.slices) { finish(slice, least[0][local], greatest[0][local]); }
  } else if (local == 0u) {
    let l = least[0];
    let g = greatest[0];
    finish(group, min(min(l.x, l.y), min(l.z, l.w)), max(max(g.x, g.y), max(g.z, g.w)));
  }
}
