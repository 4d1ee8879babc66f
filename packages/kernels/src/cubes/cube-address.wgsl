// Where a token's cube lies in its clip, a library piece.
//
// Header: TOKEN_ROWS, TOKEN_COLUMNS (token grid of one temporal slot), TUBELET, PATCH; row-start.wgsl.
// Token p = (t · TOKEN_ROWS + h) · TOKEN_COLUMNS + w begins at frame t · TUBELET, row h · PATCH, column w · PATCH.

fn cube_origin(token: u32) -> vec3u {
  let row_of_tokens = quotient(token, TOKEN_COLUMNS);
  let slot = quotient(row_of_tokens, TOKEN_ROWS);
  let position = vec2u(row_of_tokens - slot * TOKEN_ROWS, token - row_of_tokens * TOKEN_COLUMNS);
  return vec3u(slot * TUBELET, position * PATCH);
}

// NaN, made of a run-time value since WGSL refuses a constant one: the mark of a token that does not exist.
fn not_a_number(any: u32) -> f32 {
  return bitcast<f32>(0x7fc00000u | (any & 1u));
}
