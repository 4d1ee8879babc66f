// Every place of an output with any strides, from the inputs at the same place: out[place] = VALUE.
//
// map.ts puts in the declarations of the inputs, what moves their positions along an axis (MOVES, LAST_MOVES), their
// elements and the expression (VALUE). Axes are numbered from the last one, and there are up to six of them.
// Header: COUNT, AXES, EXTENT_i, for every array X_OFFSET, X_STRIDE_i and X_TOP (the stride of the first axis), ADD_TO_OUT,
// GRID_X. An axis costs a division but for the first, so that arrays of one stride need none.

//! DECLARATIONS
var<storage, read_write> out: array<OutElement>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  // Which place, counted row by row; expressions may use it.
  let place = (group.x + group.y * GRID_X) * 64u + invocation;
  if (place >= COUNT) {
    return;
  }
  var rest = place;
  //! STARTS
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
  let value = OutElement(VALUE);
  if (ADD_TO_OUT != 0u) {
    out[out_at] += value;
  } else {
    out[out_at] = value;
  }
}
