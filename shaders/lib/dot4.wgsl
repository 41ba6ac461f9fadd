requires packed_4x8_integer_dot_product;
// Σ aᵢ · bᵢ over the four int8 lanes of a word, exact in i32.
fn dot4(a: u32, b: u32) -> i32 {
  return dot4I8Packed(a, b);
}

// The four int8 lanes of a word, sign-extended.
fn lanes(word: u32) -> vec4i {
  return unpack4xI8(word);
}

// Four values in −128 … 127 to one word.
fn pack(q: vec4i) -> u32 {
  return pack4xI8(q);
}

// A 4 × 4 block of a filter: word o holds output lane o's four input lanes.
alias Block = vec4u;

fn blockOf(f: vec4u) -> Block {
  return f;
}

// What four input lanes add to four output lanes.
fn dots(f: Block, word: u32) -> vec4i {
  return vec4i(dot4(f.x, word), dot4(f.y, word), dot4(f.z, word), dot4(f.w, word));
}
