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

// One step of a product: four input lanes of an activation, a 4 × 4 patch of a filter (word o holds output
// lane o's four input lanes), and the sums of four output lanes. total() is exact whatever the sums are.
alias Taken = u32;
alias Patch = vec4u;
alias Sums = vec4i;

fn take(word: u32) -> Taken {
  return word;
}

fn patchOf(f: vec4u) -> Patch {
  return f;
}

fn addDots(sums: Sums, f: Patch, x: Taken) -> Sums {
  return sums + vec4i(dot4(f.x, x), dot4(f.y, x), dot4(f.z, x), dot4(f.w, x));
}

// The same for one output lane.
fn addDot(sum: i32, f: Taken, x: Taken) -> i32 {
  return sum + dot4(f, x);
}

// The four lanes of a word, to be multiplied lane by lane: depthwise.
fn spread(word: u32) -> Sums {
  return lanes(word);
}

// Numbers that are no bytes, to be multiplied likewise.
fn spreadLanes(v: vec4i) -> Sums {
  return v;
}

fn total(sums: Sums) -> vec4i {
  return sums;
}

// The same as a float, exact below 2²⁴.
fn realTotal(sums: Sums) -> vec4f {
  return vec4f(sums);
}
