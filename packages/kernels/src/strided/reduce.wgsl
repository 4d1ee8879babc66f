// A reduction over some axes of inputs with any strides: out[place] = Σ VALUE, or the largest or smallest VALUE, over the
// reduced axes. Each invocation goes through every PARTS-th element of one place and leaves its part of the result;
// where there are several parts a second pass reduces those, so that the order of additions is fixed.
//
// reduce.ts puts in the declarations of the inputs, what moves their positions, their elements and the expression (VALUE).
// Kept and reduced axes are numbered from the last one, up to six of each.
// Header: COUNT (places), PARTS, ELEMENTS (reduced ones), PLACES_FIRST (neighbouring invocations take neighbouring places
// instead of parts), KEPT_AXES, KEPT_EXTENT_i, AXES, EXTENT_i, for every input X_OFFSET, X_KEPT_STRIDE_i, X_KEPT_TOP, X_STRIDE_i
// and X_TOP, for the output OUT_OFFSET, OUT_KEPT_STRIDE_i, OUT_KEPT_TOP and OUT_PART; ADD_TO_OUT, GRID_X. reduce.ts also puts in
// how a value is added to the total (COMBINED). Every part has at least one element.

//! DECLARATIONS
var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let index = (group.x + group.y * GRID_X) * 64u + invocation;
  if (index >= COUNT * PARTS) {
    return;
  }
  let divisor = select(PARTS, COUNT, PLACES_FIRST != 0u);
  let other = index / divisor;
  let near = index - other * divisor;
  // Which place of the output and which of its parts; expressions may use the place, and the element below.
  let place = select(other, near, PLACES_FIRST != 0u);
  let part = select(near, other, PLACES_FIRST != 0u);
  var rest = place;
  //! STARTS
  #for I in 0..5
  if (KEPT_AXES > I + 1u) {
    let quotient = rest / KEPT_EXTENT_{I};
    let step = rest - quotient * KEPT_EXTENT_{I};
    rest = quotient;
    //! KEPT_MOVES
  }
  #end
  //! LAST_KEPT_MOVES
  var total = 0.0;
  for (var element = part; element < ELEMENTS; element += PARTS) {
    rest = element;
    //! COPIES
    #for I in 0..5
    if (AXES > I + 1u) {
      let quotient = rest / EXTENT_{I};
      let step = rest - quotient * EXTENT_{I};
      rest = quotient;
      //! MOVES
    }
    #end
    //! LAST_MOVES
    //! ELEMENTS
    let value = f32(VALUE);
    total = COMBINED;
  }
  if (ADD_TO_OUT != 0u) {
    out[out_at] += total;
  } else {
    out[out_at] = total;
  }
}
