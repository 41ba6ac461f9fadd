// Mean and squared distances from it, of so many numbers, lane by lane; two such joined without going back to the
// numbers: Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances",
// 1979. Needs lib/channel_rows.wgsl.

struct Moments {
  mean: vec4f,
  squares: vec4f, // Σ (x − mean)²
  count: f32,
}

/** Of numbers whose distances d from `shift`, one of them, sum up to `sum`, and their squares to `squares`. */
fn momentsOf(shift: vec4f, sum: vec4f, squares: vec4f, count: f32) -> Moments {
  let rest = sum / count;
  return Moments(shift + rest, max(squares - sum * rest, vec4f(0)), count);
}

fn joined(p: Moments, q: Moments) -> Moments {
  if (q.count == 0.0) { return p; }
  let count = p.count + q.count;
  let share = q.count / count;
  let d = q.mean - p.mean;
  return Moments(p.mean + d * share, p.squares + q.squares + d * d * (p.count * share), count);
}

var<workgroup> means: array<vec4f, WORKGROUP>;
var<workgroup> squares: array<vec4f, WORKGROUP>;
var<workgroup> counts: array<f32, WORKGROUP>;

fn keep(local: u32, m: Moments) {
  means[local] = m.mean;
  squares[local] = m.squares;
  counts[local] = m.count;
}

fn kept(local: u32) -> Moments {
  return Moments(means[local], squares[local], counts[local]);
}

/** The moments of all invocations of a word, for lane 0 of it; the order is that of the lanes, in pairs. */
fn joinLanes(local: u32, m: Moments) -> Moments {
  keep(local, m);
  workgroupBarrier(); // publishes the moments, each slot written by its own invocation
  for (var half = WORKGROUP / 2u; half >= WIDE; half /= 2u) {
    if (local < half) { keep(local, joined(kept(local), kept(local + half))); }
    workgroupBarrier(); // publishes the first half
  }
  return kept(local % WIDE);
}
