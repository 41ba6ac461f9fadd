// use lib/dot4.wgsl
// use lib/divide.wgsl
// use lib/double.wgsl
// use lib/choose_torch.wgsl
// use lib/dynamic.wgsl
//
// q[r, i] = clamp(zeroPoint[r] + rint(x[r, i] / scale[r]), qmin, qmax), with both from the range of row r
//                                                        docs/quantization.md (38), (5); (14), (2)
//
// A workgroup owns a row: its invocations stride through it and join what they saw in halves; the first one
// makes the parameters; then all stride through the row again.

override WORKGROUP: u32 = 64;

struct Params {
  rows: u32,
  words: u32,  // of a row
  last: u32,   // elements of a row, padding excluded
  levels: u32, // qmax − qmin
  qmin: i32,   // as stored
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;             // (rows, words)
@group(0) @binding(2) var<storage, read_write> outScale: array<vec4f>; // (rows)
@group(0) @binding(3) var<storage, read_write> outZero: array<u32>;   // (rows) stored byte
@group(0) @binding(4) var<storage, read_write> out: array<u32>;       // (rows, words)

var<workgroup> parts: array<vec2f, WORKGROUP>;
var<workgroup> chosen: Parameters;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let row = group.y * groups.x + group.x;
  if (row >= params.rows) { return; }
  let first = row * params.words;
  var low = vec4f(0);
  var high = vec4f(0);
  for (var i = local; i < params.words; i += WORKGROUP) {
    let isReal = vec4u(i * 4u) + vec4u(0u, 1u, 2u, 3u) < vec4u(params.last);
    let v = select(vec4f(0), x[first + i], isReal); // 0 is in every range
    low = min(low, v);
    high = max(high, v);
  }
  parts[local] = vec2f(min(min(low.x, low.y), min(low.z, low.w)), max(max(high.x, high.y), max(high.z, high.w)));
  for (var half = WORKGROUP / 2u; half > 0u; half = half / 2u) {
    workgroupBarrier(); // publishes parts of the invocations below 2 · half
    if (local < half) {
      let other = parts[local + half];
      parts[local] = vec2f(min(parts[local].x, other.x), max(parts[local].y, other.y));
    }
  }
  if (local == 0u) {
    chosen = parametersOf(parts[0]);
    outScale[row] = vec4f(chosen.scale, 0.0, 0.0, 0.0);
    outZero[row] = byteOf(chosen.zeroPoint);
  }
  workgroupBarrier(); // publishes chosen of the first invocation
  let p = chosen;
  for (var i = local; i < params.words; i += WORKGROUP) {
    out[first + i] = quantizeWord(x[first + i], p);
  }
}
