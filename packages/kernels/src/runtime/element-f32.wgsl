// One load is one number: for rows that do not start or end on multiples of four elements.

alias Element = f32;
#if any_f16
alias Half = f16;
#end
const ELEMENT_WIDTH = 1.0;

fn element_sum(value: Element) -> f32 {
  return value;
}
