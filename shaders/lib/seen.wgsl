// Least and greatest of the results that an invocation writes, for the slot of an observer: a slot's head
// is described in plan/lower/observe.ts. Needs `slot`, lib/ordered.wgsl,
// and `params` with last, the elements of the last axis.
//
// Results are compared by their bits, as signed integers in the order of the numbers: infinities and NaNs lie
// beyond every number on either side, no compiler may assume them away, and an integer comparison is cheaper
// where a float one must mind NaNs. A batch with one of them is refused whatever its range: the host looks
// for the place.
const NO_LEAST = vec4i(0x7fffffff);
const NO_GREATEST = vec4i(-0x80000000);

// The same way back.
fn signed(bits: vec4i) -> vec4i {
  return bits ^ ((bits >> vec4u(31)) & vec4i(0x7fffffff));
}

fn rank(y: vec4f) -> vec4i {
  return signed(bitcast<vec4i>(y));
}

fn seeLeast(least: vec4i, rank: vec4i) -> vec4i {
  return min(least, rank);
}

fn seeGreatest(greatest: vec4i, rank: vec4i) -> vec4i {
  return max(greatest, rank);
}

fn realLanes(word: u32) -> vec4<bool> {
  return word * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}

// What was seen of one word of the last axis; its padding lanes do not count. An atomic only where it would
// change something: after a few results hardly ever.
fn publish(least: vec4i, greatest: vec4i, real: vec4<bool>) {
  let l = select(least.xxxx, least, real);
  let g = select(greatest.xxxx, greatest, real);
  let low = min(min(l.x, l.y), min(l.z, l.w));
  let high = max(max(g.x, g.y), max(g.z, g.w));
  if (low > high) { return; } // saw nothing
  let bits = bitcast<vec4u>(signed(vec4i(low, high, 0, 0)));
  if (!all(isFinite(bits))) { atomicMax(&slot[2], 1u); }
  let o = ordered(bits);
  if (o.y > atomicLoad(&slot[0])) { atomicMax(&slot[0], o.y); }
  if (~o.x > atomicLoad(&slot[1])) { atomicMax(&slot[1], ~o.x); }
  if (o.y > atomicLoad(&slot[4])) { atomicMax(&slot[4], o.y); }
  if (~o.x > atomicLoad(&slot[5])) { atomicMax(&slot[5], ~o.x); }
}
