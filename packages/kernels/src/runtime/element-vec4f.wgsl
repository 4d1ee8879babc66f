// One load is four numbers of a row: a quarter of the address arithmetic and of the bounds checks.

alias Element = vec4f;
#if any_f16
alias Half = vec4h;
#end
const ELEMENT_WIDTH = 4.0;

fn element_sum(value: Element) -> f32 {
  return (value.x + value.y) + (value.z + value.w);
}
