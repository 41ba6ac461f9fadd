// use lib/dot4.wgsl
// use lib/divide.wgsl
// use lib/double.wgsl
// use lib/choose_torch.wgsl
// use lib/dynamic.wgsl
// use lib/requantize.wgsl
// use lib/recurrent.wgsl
// use lib/recurrent_i8.wgsl
//
// One LSTM direction whose h becomes bytes before each step: lstm_f32.wgsl with another R · h.
//
//   i, o, f, c' = x + R·h,  c = F(f + Pf·c) · c + F(i + Pi·c) · G(c'),  h = F(o + Po·c) · H(c)
//
// A workgroup walks its elements together: three barriers a step publish their range, its parameters, the bytes.

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>;          // (rows, D, 4, words)
@group(0) @binding(2) var<storage, read> weights: array<vec4u>;    // (D, words in, 4, words out): output lanes; then (D, words, 15)
@group(0) @binding(3) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(4) var<storage, read> hFrom: array<vec4f>;      // (D, batch, words)
@group(0) @binding(5) var<storage, read> cFrom: array<vec4f>;
@group(0) @binding(6) var<storage, read_write> hOut: array<vec4f>; // (D, batch, words)
@group(0) @binding(7) var<storage, read_write> cOut: array<vec4f>;
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;  // (time, D, batch, words)

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
  let first = direction * words * words * 4u;
  var range = vec2f(0);
  for (var w = lane; w < words; w += WORKGROUP) {
    for (var b = firstElement; b < endElement; b++) {
      let h = masked(hFrom[b * params.hBatch + direction * params.hDirection + w], w);
      hOut[stateAt(b, direction, w)] = h;
      cOut[stateAt(b, direction, w)] = masked(cFrom[b * params.cBatch + direction * params.cDirection + w], w);
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
      let extra = params.extras + (direction * words + w) * 15u;
      for (var b = firstElement; b < endElement; b++) {
        let length = lengthOf(b);
        let t = timeOf(s, length, direction);
        let at = b * params.rowBatch + direction * params.rowDirection + t * params.rowTime + w;
        let mine = stateAt(b, direction, w);
        let before = hOut[mine];
        var i = vec4i();
        var o = vec4i();
        var f = vec4i();
        var g = vec4i();
        var cursor = first + w;
        for (var begin = 0u; begin < words; begin += CHUNK) {
          var iSum = Sums();
          var oSum = Sums();
          var fSum = Sums();
          var gSum = Sums();
          for (var k = begin; k < min(words, begin + CHUNK); k++) {
            let h = take(bytes[(b - firstElement) * words + k]);
            iSum = addDots(iSum, patchOf(weights[cursor]), h);
            oSum = addDots(oSum, patchOf(weights[cursor + words]), h);
            fSum = addDots(fSum, patchOf(weights[cursor + 2u * words]), h);
            gSum = addDots(gSum, patchOf(weights[cursor + 3u * words]), h);
            cursor += 4u * words;
          }
          i += total(iSum);
          o += total(oSum);
          f += total(fSum);
          g += total(gSum);
        }
        let cell = cOut[mine];
        var peepI = vec4f();
        var peepO = vec4f();
        var peepF = vec4f();
        if (params.peepholes == 1u) {
          peepI = bitcast<vec4f>(weights[extra + 12u]);
          peepO = bitcast<vec4f>(weights[extra + 13u]);
          peepF = bitcast<vec4f>(weights[extra + 14u]);
        }
        let enter = gateF(x[at] + afterProduct(i, extra, p) + peepI * cell);
        var forget = 1.0 - enter;
        if (params.inputForget == 0u) {
          forget = gateF(x[at + 2u * words] + afterProduct(f, extra + 6u, p) + peepF * cell);
        }
        let next = forget * cell + enter * gateG(x[at + 3u * words] + afterProduct(g, extra + 9u, p));
        let leave = gateF(x[at + words] + afterProduct(o, extra + 3u, p) + peepO * next);
        let value = masked(leave * cellH(next), w);
        cOut[mine] = select(cell, masked(next, w), s < length);
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
