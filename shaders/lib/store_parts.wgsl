// The end of a part of an integer product: its int32 sums as they are, for join_i8.wgsl or join_dynamic_i8.wgsl.
//
// Needs lib/dot4.wgsl, `params` with outWords, and the binding `out`.
override CHUNKED: bool = false; // Σ |x · filter| may pass 2²⁴: where sums are floats, totals are taken before they do

// What an output word has of its own: nothing yet.
struct Column {
  word: u32,
}

fn columnOf(word: u32) -> Column {
  return Column(word);
}

fn storeSums(row: u32, word: u32, acc: vec4i, sums: Sums, c: Column) {
  out[row * params.outWords + word] = acc + total(sums);
}
