// use lib/recurrent_grad.wgsl
// tile BATCH = 1    batch elements of a workgroup: R is read once for all of them
//
// A GRU that resets behind the product, walked back (docs/quantization.md (79)): with h⁻ the state before the step,
// p what r scales and n = tanh(x + r · p),
//
//   dh = dY + dH,   dn = dh · (1 − z) · (1 − n²)
//   dz = dh · (h⁻ − n) · z(1 − z),  dr = dn · p · r(1 − r),  dp = dn · r
//   dH ← dh · z + Rᵀ · (dz, dr, dp)
//
// out has the parts dz, dr, dn, dp.

override ROOM: u32 = 64; // words of a state that workgroup memory is cut for

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> sums: array<vec4f>;       // (time, batch, 4, words): z, r, x, p
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;    // (3, H, words): R
@group(0) @binding(3) var<storage, read> hBefore: array<vec4f>;    // (time, batch, words)
@group(0) @binding(4) var<storage, read> gradient: array<vec4f>;   // (time, batch, words): dY
@group(0) @binding(5) var<storage, read> lengths: array<i32>;      // (batch), or one
@group(0) @binding(6) var<storage, read> lastState: array<vec4f>;  // (1, batch, words)
@group(0) @binding(7) var<storage, read_write> hOut: array<vec4f>; // (1, batch, words): dH
@group(0) @binding(8) var<storage, read_write> out: array<vec4f>;  // (time, batch, 4, words)

var<workgroup> parts: array<vec4f, ROOM * ${3 * BATCH}u>; // (BATCH, 3, ROOM)

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) groups: vec3u,
  @builtin(local_invocation_index) lane: u32,
) {
  let slice = id.y * groups.x + id.x;
  let words = params.words;
  $for b in BATCH
  let batch${b} = min(slice * ${BATCH}u + ${b}u, params.batch - 1u); // past the last one: that one again
  let live${b} = slice * ${BATCH}u + ${b}u < params.batch;           // and not stored
  let length${b} = u32(clamp(lengths[batch${b} * params.lengthStride], 0, i32(params.time)));
  $end
  if (params.begins == 1u) {
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      if (live${b}) { hOut[batch${b} * words + w] = lastState[batch${b} * words + w]; }
      $end
    }
  }
  for (var n = 0u; n < params.steps; n++) {
    let s = params.first - n;
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      let alive${b} = s < length${b};
      let at${b} = timeOf(s, length${b}) * params.batch + batch${b};
      let from${b} = at${b} * 4u * words + w;
      let z${b} = sigmoid(sums[from${b}]);
      let r${b} = sigmoid(sums[from${b} + words]);
      let p${b} = sums[from${b} + 3u * words];
      let n${b} = tanhOf(sums[from${b} + 2u * words] + r${b} * p${b});
      let place${b} = batch${b} * words + w;
      let dh${b} = hOut[place${b}] + gradient[at${b} * words + w];
      let dn${b} = masked(dh${b} * (1.0 - z${b}) * (1.0 - n${b} * n${b}), w, alive${b});
      let dz${b} = masked(dh${b} * (hBefore[at${b} * words + w] - n${b}) * z${b} * (1.0 - z${b}), w, alive${b});
      let dr${b} = masked(dn${b} * p${b} * r${b} * (1.0 - r${b}), w, alive${b});
      let dp${b} = masked(dn${b} * r${b}, w, alive${b});
      let mine${b} = ${3 * b}u * ROOM + w;
      parts[mine${b}] = dz${b};
      parts[mine${b} + ROOM] = dr${b};
      parts[mine${b} + 2u * ROOM] = dp${b};
      if (live${b}) {
        out[from${b}] = dz${b};
        out[from${b} + words] = dr${b};
        out[from${b} + 2u * words] = dn${b};
        out[from${b} + 3u * words] = dp${b};
        if (alive${b}) { hOut[place${b}] = dh${b} * z${b}; }
      }
      $end
    }
    workgroupBarrier(); // publishes parts
    for (var w = lane; w < words; w += WORKGROUP) {
      $for b in BATCH
      var dh${b} = vec4f(0);
      $end
      for (var gate = 0u; gate < 3u; gate++) {
        for (var j = 0u; j < words; j++) {
          $for b in BATCH
          let d${b} = parts[(${3 * b}u + gate) * ROOM + j];
          $end
          for (var unit = 0u; unit < 4u; unit++) {
            let row = weights[(gate * params.units + min(j * 4u + unit, params.units - 1u)) * words + w];
            $for b in BATCH
            dh${b} += d${b}[unit] * row;
            $end
          }
        }
      }
      $for b in BATCH
      if (live${b} && s < length${b}) { hOut[batch${b} * words + w] = masked(hOut[batch${b} * words + w] + dh${b}, w, true); }
      $end
    }
    workgroupBarrier(); // publishes that parts are read and may be overwritten
  }
}
