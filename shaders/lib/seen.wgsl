// Least and greatest of the results that an invocation writes, for the slot of an observer: a slot's head
// is described in plan/lower/observe.ts. Needs `slot`, lib/ordered.wgsl,
// and `params` with last, the elements of the last axis. The greatest bits of |y| tell whether a result was
// not finite: then the batch is refused whatever its range, and the host looks for the place.
struct Seen {
  low: vec4f,
  high: vec4f,
  magnitude: vec4u, // bits of |y|, which are in the order of the numbers, then infinity, then NaNs
}

fn nothingSeen() -> Seen {
  return Seen(vec4f(0x1.fffffep+127f), vec4f(-0x1.fffffep+127f), vec4u(0));
}

fn realLanes(word: u32) -> vec4<bool> {
  return word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

fn see(seen: ptr<function, Seen>, y: vec4f) {
  (*seen).low = min((*seen).low, y);
  (*seen).high = max((*seen).high, y);
  (*seen).magnitude = max((*seen).magnitude, bitcast<vec4u>(y) & vec4u(0x7fffffffu));
}

// What was seen of one word of the last axis, its padding lanes left out.
fn join(seen: ptr<function, Seen>, other: Seen, real: vec4<bool>) {
  (*seen).low = min((*seen).low, select(other.low.xxxx, other.low, real));
  (*seen).high = max((*seen).high, select(other.high.xxxx, other.high, real));
  (*seen).magnitude = max((*seen).magnitude, select(vec4u(0), other.magnitude, real));
}

// An atomic only where it would change something: after a few results hardly ever.
fn publish(seen: Seen) {
  let m = seen.magnitude;
  let magnitude = max(max(m.x, m.y), max(m.z, m.w));
  if (magnitude >= 0x7f800000u) { atomicMax(&slot[2], magnitude); }
  let least = min(min(seen.low.x, seen.low.y), min(seen.low.z, seen.low.w));
  let greatest = max(max(seen.high.x, seen.high.y), max(seen.high.z, seen.high.w));
  if (least > greatest) { return; }
  let o = ordered(bitcast<vec4u>(vec4f(least, greatest, 0.0, 0.0)));
  if (o.y > atomicLoad(&slot[0])) { atomicMax(&slot[0], o.y); }
  if (~o.x > atomicLoad(&slot[1])) { atomicMax(&slot[1], ~o.x); }
  if (o.y > atomicLoad(&slot[4])) { atomicMax(&slot[4], o.y); }
  if (~o.x > atomicLoad(&slot[5])) { atomicMax(&slot[5], ~o.x); }
}
