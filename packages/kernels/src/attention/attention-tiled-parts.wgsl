// Rows in workgroup memory for the attention kernels for GPUs without matrix units: attention-tiled.wgsl,
// attention-backward-query-tiled.wgsl and attention-backward-key-tiled.wgsl.
//
// A workgroup has a block of 2 · SLOTS rows of one head. PARTS invocations share two rows and own every PARTS-th vec4 of
// the channels, so that what is held of a row fits the registers of an invocation whatever the head dimension, and small
// problems still fill the device. Eight rows of the other side at a time lie in workgroup memory, of two arrays: keys and
// values, or queries and gradients. A product of rows is the sum of PARTS parts, exchanged through workgroup memory, each
// invocation adding them up in the same order (no subgroup operations, no size of a subgroup assumed).
//
// Header: PARTS, DEPTH (head dimension in whole parts: a multiple of 4 · PARTS), PRODUCTS (what is exchanged: 1 or 2
// products of rows); attention-rows.wgsl.

const SLOTS = 64u / PARTS;
// Vec4s of a row; those beyond the head are zero.
const VEC4S = DEPTH / 4u;
const PART_VEC4S = VEC4S / PARTS;

alias Part = array<vec4f, PART_VEC4S>;

var<workgroup> a_tile: array<vec4f, 8u * VEC4S>;
var<workgroup> b_tile: array<vec4f, 8u * VEC4S>;
// [product][row of the invocation][first or last four rows of the tiles][invocation]
var<workgroup> parts: array<vec4f, PRODUCTS * 256u>;

// Rows `row` … row + 7 to the tiles. Rows beyond the last are that row again.
fn copy_tiles(
  a: ptr<storage, array<Element>, read>,
  a_rows: Rows,
  b: ptr<storage, array<Element>, read>,
  b_rows: Rows,
  row: u32,
  index: u32,
) {
  for (var at = index; at < rolled(8u * VEC4S); at += 64u) {
    let from_a = row_vec4(a, a_rows, row + at / VEC4S, at % VEC4S);
    let from_b = row_vec4(b, b_rows, row + at / VEC4S, at % VEC4S);
    a_tile[at] = from_a;
    b_tile[at] = from_b;
  }
}

// A vec4 of four rows of a tile.
fn a_rows_at(at: u32) -> mat4x4f {
  return mat4x4f(a_tile[at], a_tile[at + VEC4S], a_tile[at + 2u * VEC4S], a_tile[at + 3u * VEC4S]);
}

fn b_rows_at(at: u32) -> mat4x4f {
  return mat4x4f(b_tile[at], b_tile[at + VEC4S], b_tile[at + 2u * VEC4S], b_tile[at + 3u * VEC4S]);
}

fn part_sum(first: u32) -> vec4f {
  var sum = vec4f();
  for (var part = 0u; part < rolled(PARTS); part++) {
    sum += parts[first + part];
  }
  return sum;
}
