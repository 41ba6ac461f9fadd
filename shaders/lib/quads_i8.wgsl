// What a workgroup stages of x for a product: four words from a tap on, taps outside the picture as the
// zero point's bytes. Needs lib/window.wgsl, lib/taps.wgsl, `params` with padWord, and the bindings `x`
// and `quads`, which is x again.
override VECTOR: bool = false; // groupWords is a multiple of four: x is read 16 bytes at a time

fn wordAt(c: Corner, t: Tap) -> u32 {
  return select(params.padWord, x[u32(c.at + wordsTo(t))], isInside(c, t.dy, t.dx));
}

// The four words of x from t on.
fn quadAt(c: Corner, t: Tap) -> vec4u {
  if (VECTOR) {
    return select(vec4u(params.padWord), quads[u32(c.at + wordsTo(t)) / 4u], isInside(c, t.dy, t.dx));
  }
  let one = Tap(0, 0, 1);
  let t1 = advance(t, one);
  let t2 = advance(t1, one);
  return vec4u(wordAt(c, t), wordAt(c, t1), wordAt(c, t2), wordAt(c, advance(t2, one)));
}
