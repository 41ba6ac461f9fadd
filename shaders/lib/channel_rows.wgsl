// How sums over batch and space are shared out. x lies as rows of words, the channels last; a workgroup takes WIDE
// words that lie side by side and one of `splits` equal parts of the rows, and its invocations every so manieth row
// of that part. So neighbours read neighbours, and each total is joined in an order of its own: no atomics.

override WORKGROUP: u32 = 64; // a power of two
override WIDE: u32 = 4;       // a power of two, at most WORKGROUP

/** Rows that one invocation sums before it joins them to the rest: long sums lose fewer digits so. */
const BLOCK = 32u;

struct Part {
  word: u32,
  split: u32,
  lane: u32,  // the invocation's number among those of its word
  lanes: u32,
}

fn partOf(local: u32, group: u32, tiles: u32) -> Part {
  let split = group / tiles;
  let tile = group - split * tiles;
  return Part(tile * WIDE + local % WIDE, split, local / WIDE, WORKGROUP / WIDE);
}
