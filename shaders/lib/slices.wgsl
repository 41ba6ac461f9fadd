// Fake-quantization's parameters of the four lanes of a word. `steps` has one vec4f a slice of x's axis: scale,
// fl(1 / scale), qmin − z, qmax − z. Needs `steps`, and `params` with slices and inner.
//
// AXIS 0: one for all of x. 1: the same for all lanes, a slice being so many words in a row. 2: the slices are
// the elements of the last axis, `inner` words of it.
override AXIS: u32 = 0;

struct Lanes {
  scale: vec4f,
  reciprocal: vec4f,
  low: vec4f,
  high: vec4f,
}

// Where the parameters of word `index` are.
fn sliceOf(index: u32) -> u32 {
  if (AXIS == 0u) { return 0u; }
  if (AXIS == 1u) { return (index / params.inner) % params.slices; }
  return (index % params.inner) * 4u;
}

fn lanesOf(index: u32) -> Lanes {
  let at = sliceOf(index);
  let a = steps[at];
  if (AXIS != 2u) { return Lanes(vec4f(a.x), vec4f(a.y), vec4f(a.z), vec4f(a.w)); }
  let most = params.slices - 1u; // padding lanes repeat the last slice
  let b = steps[min(at + 1u, most)];
  let c = steps[min(at + 2u, most)];
  let d = steps[min(at + 3u, most)];
  return Lanes(vec4f(a.x, b.x, c.x, d.x), vec4f(a.y, b.y, c.y, d.y), vec4f(a.z, b.z, c.z, d.z), vec4f(a.w, b.w, c.w, d.w));
}
