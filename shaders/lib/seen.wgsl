// Least and greatest of the results that an invocation writes, for the slot of an observer: a slot's head
// is described in plan/lower/observe.ts. Needs `slot`, lib/ordered.wgsl,
// and `params` with last, the elements of the last axis. Results stay floats until the
// end; non-finite ones are found by their bits, and then the batch is refused whatever its range.
struct Seen {
  low: vec4f,
  high: vec4f,
}

fn nothingSeen() -> Seen {
  return Seen(vec4f(0x1.fffffep+127f), vec4f(-0x1.fffffep+127f));
}

fn realLanes(word: u32) -> vec4<bool> {
  return word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

// `at` is the word of out that holds y.
fn see(seen: ptr<function, Seen>, y: vec4f, at: u32, real: vec4<bool>) {
  let bits = select(bitcast<vec4u>(y.xxxx), bitcast<vec4u>(y), real);
  if (all(isFinite(bits))) {
    let v = bitcast<vec4f>(bits);
    (*seen).low = min((*seen).low, v);
    (*seen).high = max((*seen).high, v);
  } else {
    countNonFinite(at, bits, real);
  }
}

fn countNonFinite(at: u32, bits: vec4u, real: vec4<bool>) {
  let finite = isFinite(bits);
  for (var lane = 0u; lane < 4u; lane++) {
    if (real[lane] && !finite[lane]) {
      atomicAdd(&slot[2], 1u);
      atomicMax(&slot[3], ~(at * 4u + lane));
    }
  }
}

// An atomic only where it would change something: after a few results hardly ever.
fn publish(seen: Seen) {
  let least = min(min(seen.low.x, seen.low.y), min(seen.low.z, seen.low.w));
  let greatest = max(max(seen.high.x, seen.high.y), max(seen.high.z, seen.high.w));
  if (least > greatest) { return; }
  let o = ordered(bitcast<vec4u>(vec4f(least, greatest, 0.0, 0.0)));
  if (o.y > atomicLoad(&slot[0])) { atomicMax(&slot[0], o.y); }
  if (~o.x > atomicLoad(&slot[1])) { atomicMax(&slot[1], ~o.x); }
  if (o.y > atomicLoad(&slot[4])) { atomicMax(&slot[4], o.y); }
  if (~o.x > atomicLoad(&slot[5])) { atomicMax(&slot[5], ~o.x); }
}
