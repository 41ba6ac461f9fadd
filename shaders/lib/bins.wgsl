// What both shaders of a histogram share: the bin of a value. Needs lib/observed.wgsl and lib/ordered.wgsl.
//
// bin(x) = ⌊fl(fl(x − low) · BINS) / fl(high − low)⌋      docs/quantization.md, section 4, step 1
//
// low and high are the running range that lib/seen.wgsl left in slot[5], slot[4]; where they are
// one value the bins span one unit on each side. Non-finite values land in some bin: the batch is
// refused for them, whatever its counts. Counts are integers, so their order does not matter.

override BINS: u32 = 2048;

struct Span {
  low: f32,
  width: f32,
}

fn spanOf() -> Span {
  var low = fromOrdered(~atomicLoad(&slot[5]));
  var high = fromOrdered(atomicLoad(&slot[4]));
  if (low == high) {
    low -= 1.0;
    high += 1.0;
  }
  return Span(low, high - low);
}

// Of 2²³ + n, n an integer, the low bits are n: cheaper than a conversion, which must saturate. What is no number there, such
// as the 0 / 0 of a constant so great that one more is the same float, has greater bits: the last bin, as on the host.
fn binOf(v: vec4f, span: Span) -> vec4u {
  let at = floor(((v - span.low) * f32(BINS)) / span.width);
  return min(bitcast<vec4u>(at + 8388608.0) - vec4u(0x4b000000u), vec4u(BINS - 1u));
}
