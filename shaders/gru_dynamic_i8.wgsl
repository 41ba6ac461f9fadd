// use lib/dot4.wgsl
// use lib/divide.wgsl
// use lib/double.wgsl
// use lib/choose_torch.wgsl
// use lib/dynamic.wgsl
// use lib/requantize.wgsl
// use lib/recurrent.wgsl
// use lib/recurrent_i8.wgsl
//
// One GRU direction whose h becomes bytes before each step: gru_f32.wgsl's LINEAR_BEFORE_RESET with another R · h.
//
//   z, r = F(x + R·h),  h' = G(x + r · R·h),  h = (1 − z) · h' + z · h
//
// A workgroup walks its elements together: three barriers a step publish their range, its parameters, the bytes.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // (rows, D, 3, words)
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;    // (D, words in, 3, words out): output lanes; then (D, words, 9)
@group(0) @binding(3) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(4) var<storage, read> hFrom: array<vec4f>;      // (D, batch, words)
@group(0) @binding(5) var<storage, read_write> hOut: array<vec4f>; // (D, batch, words)
@group(0) @binding(6) var<storage, read_write> out: array<vec4f>;  // (time, D, batch, words)

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let group = id.y * groups.x + id.x;
  let words = params.words;
  let own = group / params.slices;
  let direction = params.direction + own;
  let firstElement = (group - own * params.slices) * params.span;
  let endElement = min(firstElement + params.span, params.batch);
  let first = direction * words * words * 3u;
  var range = vec2f(0);
  for (var w = lane; w < words; w += WORKGROUP) {
    for (var b = firstElement; b < endElement; b++) {
      let h = masked(hFrom[b * params.hBatch + direction * params.hDirection + w], w);
      hOut[stateAt(b, direction, w)] = h;
      let seen = rangeOf(h);
      range = vec2f(min(range.x, seen.x), max(range.y, seen.y));
    }
  }
  for (var n = 0u; n < params.steps; n++) {
    let s = params.first + n;
    ranges[lane] = range;
    workgroupBarrier(); // publishes ranges
    if (lane == 0u) {
      for (var i = 1u; i < WORKGROUP; i++) {
        range = vec2f(min(range.x, ranges[i].x), max(range.y, ranges[i].y));
      }
      chosen = parametersOf(range);
    }
    workgroupBarrier(); // publishes chosen of the first invocation
    let p = chosen;
    for (var w = lane; w < words; w += WORKGROUP) {
      for (var b = firstElement; b < endElement; b++) {
        bytes[(b - firstElement) * words + w] = quantizeWord(hOut[stateAt(b, direction, w)], p);
      }
    }
    workgroupBarrier(); // publishes bytes
    range = vec2f(0);
    for (var w = lane; w < words; w += WORKGROUP) {
      let extra = params.extras + (direction * words + w) * 9u;
      for (var b = firstElement; b < endElement; b++) {
        let length = lengthOf(b);
        let t = timeOf(s, length, direction);
        let at = b * params.rowBatch + direction * params.rowDirection + t * params.rowTime + w;
        let mine = stateAt(b, direction, w);
        let before = hOut[mine];
        var z = vec4i();
        var r = vec4i();
        var g = vec4i();
        var cursor = first + w;
        for (var begin = 0u; begin < words; begin += CHUNK) {
          var zSum = Sums();
          var rSum = Sums();
          var gSum = Sums();
          for (var k = begin; k < min(words, begin + CHUNK); k++) {
            let h = take(bytes[(b - firstElement) * words + k]);
            zSum = addDots(zSum, patchOf(weights[cursor]), h);
            rSum = addDots(rSum, patchOf(weights[cursor + words]), h);
            gSum = addDots(gSum, patchOf(weights[cursor + 2u * words]), h);
            cursor += 3u * words;
          }
          z += total(zSum);
          r += total(rSum);
          g += total(gSum);
        }
        let update = gateF(x[at] + afterProduct(z, extra, p));
        let reset = gateF(x[at + words] + afterProduct(r, extra + 3u, p));
        let candidate = gateG(x[at + 2u * words] + reset * afterProduct(g, extra + 6u, p));
        let value = masked((1.0 - update) * candidate + update * before, w);
        let alive = s < length;
        let h = select(before, value, alive);
        hOut[mine] = h;
        if (params.writes == 1u) {
          let place = b * params.outBatch + direction * params.outDirection + t * params.outTime + w;
          out[place] = select(vec4f(0), value, alive);
        }
        let seen = rangeOf(h);
        range = vec2f(min(range.x, seen.x), max(range.y, seen.y));
      }
    }
  }
}
