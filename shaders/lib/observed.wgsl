// What an observer reads and keeps: a tensor by words, and its slot (plan/lower/observe.ts).
override PADDED: bool = false; // the last word of x's last axis has padding lanes

struct Params {
  count: u32, // words of x
  words: u32, // words of its last axis
  last: u32,  // elements of its last axis, padding excluded
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> x: array<vec4f>; // (count)
@group(0) @binding(2) var<storage, read_write> slot: array<atomic<u32>>; // 8 words, then what an observer counts

// Lanes of word i that are no padding.
fn realLanesOf(i: u32) -> vec4<bool> {
  if (!PADDED) { return vec4<bool>(true); }
  return (i % params.words) * 4u + vec4u(0, 1, 2, 3) < vec4u(params.last);
}
