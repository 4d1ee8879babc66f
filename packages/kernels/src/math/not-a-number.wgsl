// Whether x is not a number: by its bits, since a compiler may assume that there is none.
fn is_not_a_number(x: f32) -> bool {
  return (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u;
}
