// use lib/dot4.wgsl
// use lib/divide.wgsl
// use lib/double.wgsl
// use lib/choose_torch.wgsl
// use lib/dynamic.wgsl
//
// q = clamp(zeroPoint + rint(x / scale), qmin, qmax), with scale and zeroPoint from the range of all of x
//                                                        docs/quantization.md (38), (5); (14), (2)
//
// The range is in parts: every workgroup joins them, its first invocation makes the parameters, the same ones in
// each, and that of the first workgroup keeps them. Few parts are joined by that invocation alone: a barrier costs
// more. The layout stays. A workgroup owns the words that it strides over.

override WORKGROUP: u32 = 64;

struct Params {
  count: u32,  // words
  parts: u32,  // of the range
  levels: u32, // qmax − qmin
  qmin: i32,   // as stored
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;               // (count)
@group(0) @binding(2) var<storage, read> ranges: array<vec2f>;          // (parts): least and greatest
@group(0) @binding(3) var<storage, read_write> outScale: array<f32>;    // (1)
@group(0) @binding(4) var<storage, read_write> outZero: array<u32>;     // (1) stored byte
@group(0) @binding(5) var<storage, read_write> out: array<u32>;         // (count)

const FEW = 256u;

var<workgroup> chosen: Parameters;
var<workgroup> joined: array<vec2f, WORKGROUP>;

// The range of the parts first, first + step, …
fn rangeFrom(first: u32, step: u32) -> vec2f {
  var range = vec2f(0);
  for (var i = first; i < params.parts; i += step) {
    range = vec2f(min(range.x, ranges[i].x), max(range.y, ranges[i].y));
  }
  return range;
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  if (params.parts > FEW) {
    joined[local] = rangeFrom(local, WORKGROUP);
    for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
      workgroupBarrier(); // publishes joined of the invocations below 2 · half
      if (local < half) {
        let other = joined[local + half];
        joined[local] = vec2f(min(joined[local].x, other.x), max(joined[local].y, other.y));
      }
    }
  } else if (local == 0u) {
    joined[0] = rangeFrom(0u, 1u);
  }
  if (local == 0u) {
    chosen = parametersOf(joined[0]);
    if (group.x == 0u) {
      outScale[0] = chosen.scale;
      outZero[0] = byteOf(chosen.zeroPoint);
    }
  }
  workgroupBarrier(); // publishes chosen of the first invocation
  let p = chosen;
  for (var i = group.x * WORKGROUP + local; i < params.count; i += groups.x * WORKGROUP) {
    out[i] = quantizeWord(x[i], p);
  }
}
