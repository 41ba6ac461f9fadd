// use lib/layer_norm.wgsl
//
// out = (x − mean) / √(variance + epsilon) · scale + bias: a workgroup owns a row, for adapters with many
// invocations at a time. Sums are joined in a tree of fixed shape.

override WORKGROUP: u32 = 64; // a power of two

var<workgroup> partial: array<vec2f, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32, @builtin(workgroup_id) group: vec3u, @builtin(num_workgroups) groups: vec3u) {
  let index = group.y * groups.x + group.x;
  if (index >= params.count) { return; }
  let base = index * params.words;
  var sum = vec4f(0);
  for (var i = local; i < params.words; i += WORKGROUP) { sum += realLanes(x[base + i], i); }
  partial[local] = vec2f(lanesSum(sum), 0.0);
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) { partial[local] += partial[local + half]; }
    workgroupBarrier(); // publishes partial[0 … half − 1]
  }
  let first = partial[0].x * params.share;
  workgroupBarrier(); // publishes partial: nobody reads its first sums any more
  sum = vec4f(0);
  var squares = vec4f(0);
  for (var i = local; i < params.words; i += WORKGROUP) {
    let d = realLanes(x[base + i] - first, i);
    sum += d;
    squares += d * d;
  }
  partial[local] = vec2f(lanesSum(sum), lanesSum(squares));
  workgroupBarrier(); // publishes partial, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
    if (local < half) { partial[local] += partial[local + half]; }
    workgroupBarrier(); // publishes partial[0 … half − 1]
  }
  let row = momentsOf(first, partial[0].x, partial[0].y);
  var low = vec4f(0);
  var high = vec4f(0);
  for (var i = local; i < params.words; i += WORKGROUP) {
    let y = store(base, i, row);
    low = min(low, y);
    high = max(high, y);
  }
  if (RANGE) {
    workgroupBarrier(); // publishes partial: nobody reads its sums any more
    partial[local] = rangeOf(low, high);
    workgroupBarrier(); // publishes partial, each slot written by its own invocation
    for (var half = WORKGROUP / 2u; half > 0u; half /= 2u) {
      if (local < half) {
        let other = partial[local + half];
        partial[local] = vec2f(min(partial[local].x, other.x), max(partial[local].y, other.y));
      }
      workgroupBarrier(); // publishes partial[0 … half − 1]
    }
    if (local == 0u) { outRange[index] = partial[0]; }
  }
}
