// Where a token's cube lies in its clip, a library piece.
//
// Header: TOKEN_ROWS, TOKEN_COLUMNS (token grid of one temporal slot), TUBELET, PATCH: constants, of which a
// model has one set, since every pixel divides by them.
// Token p = (t · TOKEN_ROWS + h) · TOKEN_COLUMNS + w begins at frame t · TUBELET, row h · PATCH, column w · PATCH.

fn cube_origin(token: u32) -> vec3u {
  let slot = token / (TOKEN_ROWS * TOKEN_COLUMNS);
  let position = token % (TOKEN_ROWS * TOKEN_COLUMNS);
  return vec3u(slot * TUBELET, position / TOKEN_COLUMNS * PATCH, position % TOKEN_COLUMNS * PATCH);
}

// NaN, made of a run-time value since WGSL refuses a constant one: the mark of a token that does not exist.
fn not_a_number(any: u32) -> f32 {
  return bitcast<f32>(0x7fc00000u | (any & 1u));
}
