// use lib/fused_round.wgsl
//
// The gradients of fake-quantization whose scale and zero point are learned, u = rint(fma(x, 1/s, z)):
//   qmin ≤ u ≤ qmax:  out = gradient;  Σ gradient · (s · (u − z) − x) / s · g
//   outside:          out = 0;         Σ gradient · (qmin − z or qmax − z) · g,  Σ −gradient · s · g
//                                                                              docs/quantization.md (20)
//
// A workgroup owns part p of one slice, or with LAST of a word of four, and its sums over it: sums_f32 adds the
// parts. `steps` as in lib/slices.wgsl.

override WORKGROUP: u32 = 64; // at least 4, a power of two
override LAST: bool = false;  // slices are the elements of x's last axis

struct Params {
  words: u32,  // of x's last axis
  last: u32,   // elements of it, padding excluded
  inner: u32,  // words of x in a row that are of one slice
  outer: u32,  // how often they come
  stride: u32, // words from one time to the next
  slices: u32,
  parts: u32,  // of a slice
  qmin: f32,
  g: f32,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;              // (count)
@group(0) @binding(2) var<storage, read> gradient: array<vec4f>;       // (count)
@group(0) @binding(3) var<storage, read> steps: array<vec4f>;          // (slices)
@group(0) @binding(4) var<storage, read_write> outSums: array<vec2f>;  // (slices, parts): of scale, of zero point
@group(0) @binding(5) var<storage, read_write> out: array<vec4f>;      // (count)

var<workgroup> scales: array<vec4f, WORKGROUP>;
var<workgroup> zeros: array<vec4f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let group = id.y * groups.x + id.x;
  let own = group / params.parts;
  let part = group % params.parts;
  if (own * select(1u, 4u, LAST) >= params.slices) { return; } // the last row of the grid
  let count = params.inner * params.outer;
  var scaleSum = vec4f(0);
  var zeroSum = vec4f(0);
  for (var i = part * WORKGROUP + local; i < count; i += params.parts * WORKGROUP) {
    let index = (i / params.inner) * params.stride + own * params.inner + i % params.inner;
    let value = x[index];
    let dY = gradient[index];
    let first = (index % params.words) * 4u;
    var dX = vec4f(0);
    for (var lane = 0u; lane < 4u; lane++) {
      if (first + lane >= params.last) { break; }
      let step = steps[select(own, min(own * 4u + lane, params.slices - 1u), LAST)];
      let z = params.qmin - step.z;
      let u = fusedRound(value[lane], step.y, z) - z;
      if (u >= step.z && u <= step.w) {
        dX[lane] = dY[lane];
        scaleSum[lane] += dY[lane] * (u * step.x - value[lane]) * step.y * params.g;
      } else {
        scaleSum[lane] += dY[lane] * select(step.w, step.z, u < step.z) * params.g;
        zeroSum[lane] -= dY[lane] * step.x * params.g;
      }
    }
    out[index] = dX;
  }
  scales[local] = scaleSum;
  zeros[local] = zeroSum;
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    workgroupBarrier(); // publishes the sums of invocations below 2 · half
    if (local < half) {
      scales[local] += scales[local + half];
      zeros[local] += zeros[local + half];
    }
  }
  workgroupBarrier(); // publishes the first slot
  if (LAST) {
    let slice = own * 4u + local;
    if (local < 4u && slice < params.slices) {
      outSums[slice * params.parts + part] = vec2f(scales[0][local], zeros[0][local]);
    }
  } else if (local == 0u) {
    let s = scales[0];
    let t = zeros[0];
    outSums[group] = vec2f(s.x + s.y + s.z + s.w, t.x + t.y + t.z + t.w);
  }
}
