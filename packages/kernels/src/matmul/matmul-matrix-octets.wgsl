// Copies of the blocks of A and B for matmul-matrix-units.wgsl, eight elements at a time: for operands of which at least
// one is stored in f16, where every row starts and ends on a multiple of eight. A load moves 16 bytes, eight elements of
// f16 or four of f32, and a store into workgroup memory eight in f16, rounded there if they were f32. Rows in workgroup
// memory are 16 bytes longer than they need be, which spreads a column of 16-byte pieces over all banks.
//
// With PREFETCH the loads of the next block are under way while this one is multiplied. What arrives waits in registers as
// it was stored: 16 of an invocation for two blocks of 128 × 32 in f16, where the 32 of operands in f32 cost an H100 its
// second workgroup. With BUFFERS == 2 it goes to a place of its own, and a step of k takes one barrier; with one it waits
// for the other subgroups first.
//
// Where a copied row starts is found before the steps of k. Only rows that run along k at two strides are new rows at
// every step.
//
// The epilogue has the place of the blocks, once they are done with, for STAGED rows of units at once.
//
// The method is that of Jeff Bolz, vk_cooperative_matrix_perf (shmem.comp), with the second buffer of CUTLASS's pipelined
// kernels. No GPU has timed it here yet.
//
// Header: that of matmul-matrix-units.wgsl, and A_COPIES, B_COPIES (of an invocation, for a block), PREFETCH, BUFFERS,
// STAGED (divides UNITS_DOWN); matmul-operands.wgsl.

// Elements of an operand in one of workgroup memory.
const GRAIN = 8u;

const A_BLOCK = A_ROWS * A_STRIDE;
const B_BLOCK = B_ROWS * B_STRIDE;
// Two for each invocation's sums of rows.
var<workgroup> blocks: array<vec4u, max(BUFFERS * (A_BLOCK + B_BLOCK), max(STAGE, 2u * INVOCATIONS))>;

const_assert A_COPIES == (A_SIZE + INVOCATIONS - 1u) / INVOCATIONS;
const_assert B_COPIES == (B_SIZE + INVOCATIONS - 1u) / INVOCATIONS;
// What an invocation copies of A lies in the same eight columns of A as it is stored.
const_assert INVOCATIONS % A_WIDTH == 0u;

// Eight elements, as they are in f16, or as values.
alias InputHalf = vec4u;
alias Values = mat2x4f;
// The sums of what an invocation copied of A, not rounded.
alias RowParts = Values;

fn values_of(octet: vec4u) -> Values {
  return Values(vec4f(bitcast<vec4h>(octet.xy)), vec4f(bitcast<vec4h>(octet.zw)));
}

fn rounded(values: Values) -> vec4u {
  return vec4u(bitcast<vec2u>(vec4h(values[0])), bitcast<vec2u>(vec4h(values[1])));
}

fn load_input_half(source: ptr<storage, array<InputHalf>, read>, start: u32, valid: u32) -> vec4f {
  return values_of((*source)[start / 8u])[start / 4u % 2u];
}

#if a_f16
alias AOctet = vec4u;

fn load_a_octet(start: u32) -> AOctet {
  return a[start / 8u];
}

fn a_values(octet: AOctet) -> Values {
  return values_of(octet);
}

fn a_halves(octet: AOctet) -> vec4u {
  return octet;
}
#else
alias AOctet = Values;

fn load_a_octet(start: u32) -> AOctet {
  return Values(load(&a, start, 4u), load(&a, start + 4u, 4u));
}

fn a_values(octet: AOctet) -> Values {
  return octet;
}

fn a_halves(octet: AOctet) -> vec4u {
  return rounded(octet);
}
#end

#if b_f16
alias BOctet = vec4u;

fn load_b_octet(start: u32) -> BOctet {
  return b[start / 8u];
}

fn b_halves(octet: BOctet) -> vec4u {
  return octet;
}
#else
alias BOctet = Values;

fn load_b_octet(start: u32) -> BOctet {
  return Values(load(&b, start, 4u), load(&b, start + 4u, 4u));
}

fn b_halves(octet: BOctet) -> vec4u {
  return rounded(octet);
}
#end

// Which piece of a block copy I of an invocation is; where there are none left, the last one again.
fn a_piece(i: u32) -> u32 {
  return select(min(i, A_SIZE - 1u), i, A_SIZE % INVOCATIONS == 0u);
}

fn b_piece(i: u32) -> u32 {
  return select(min(i, B_SIZE - 1u), i, B_SIZE % INVOCATIONS == 0u);
}

#if TRANSPOSE_A
// Of a piece of A, what does not change with k: the index of its first element at k = 0, or its column where rows are
// at two strides.
fn a_place(group: u32, row: u32, piece: u32) -> u32 {
  let m = row + piece % A_WIDTH * 8u;
  let column = min(m, (M - 1u) / 8u * 8u);
#if A_TWO_STRIDES
  return column;
#else
  return a_row(group * K + piece / A_WIDTH) + column;
#end
}

fn fetch_a(group: u32, k: u32, piece: u32, place: u32) -> AOctet {
  let row = k + piece / A_WIDTH;
  if (K_EDGES && row >= K) {
    return AOctet();
  }
#if A_TWO_STRIDES
  return load_a_octet(a_row(group * K + row) + place);
#else
  return load_a_octet(place + k * A_INNER_STRIDE);
#end
}
#else
// Of a piece of A, the index of its first element at k = 0.
fn a_place(group: u32, row: u32, piece: u32) -> u32 {
  let m = row + piece / A_WIDTH;
  return a_row(group * M + min(m, M - 1u)) + piece % A_WIDTH * 8u;
}

fn fetch_a(group: u32, k: u32, piece: u32, place: u32) -> AOctet {
  if (K_EDGES && k + piece % A_WIDTH * 8u >= K) {
    return AOctet();
  }
  return load_a_octet(place + k);
}
#end

#if TRANSPOSE_B
fn b_place(group: u32, column: u32, piece: u32) -> u32 {
  let n = column + piece / B_WIDTH;
  return b_row(group * N + min(n, N - 1u)) + piece % B_WIDTH * 8u;
}

fn fetch_b(group: u32, k: u32, piece: u32, place: u32) -> BOctet {
  if (K_EDGES && k + piece % B_WIDTH * 8u >= K) {
    return BOctet();
  }
  return load_b_octet(place + k);
}
#else
fn b_place(group: u32, column: u32, piece: u32) -> u32 {
  let n = column + piece % B_WIDTH * 8u;
  let at = min(n, (N - 1u) / 8u * 8u);
#if B_TWO_STRIDES
  return at;
#else
  return b_row(group * K + piece / B_WIDTH) + at;
#end
}

fn fetch_b(group: u32, k: u32, piece: u32, place: u32) -> BOctet {
  let row = k + piece / B_WIDTH;
  if (K_EDGES && row >= K) {
    return BOctet();
  }
#if B_TWO_STRIDES
  return load_b_octet(b_row(group * K + row) + place);
#else
  return load_b_octet(place + k * B_INNER_STRIDE);
#end
}
#end

#if a_scale
// The factor of the row of A, as it is stored, that a piece lies in.
fn a_factor(group: u32, row: u32, k: u32, piece: u32) -> f32 {
#if TRANSPOSE_A
  let stored = group * K + min(k + piece / A_WIDTH, K - 1u);
#else
  let stored = group * M + min(row + piece / A_WIDTH, M - 1u);
#end
  return a_scale[row_start(stored, A_SCALE_OFFSET, ROWS_PER_A_SCALE, A_SCALE_INVERSE, 0u, 1u)];
}

fn scaled(values: Values, factor: f32) -> Values {
  return Values(
    select(factor * values[0], vec4f(0.0), factor == 0.0),
    select(factor * values[1], vec4f(0.0), factor == 0.0),
  );
}
#end

// What an invocation copies of both blocks: reached by constants only, or a compiler keeps it in memory.
struct Fetched {
  of_a: array<AOctet, A_COPIES>,
  of_b: array<BOctet, B_COPIES>,
#if a_scale
  factors: array<f32, A_COPIES>,
#end
}

// Where it lies, as a_place and b_place say.
struct Places {
  in_a: array<u32, A_COPIES>,
  in_b: array<u32, B_COPIES>,
}

fn places_of(group: u32, row: u32, column: u32, index: u32) -> Places {
  var places = Places();
#for I in 0..A_COPIES
  places.in_a[I] = a_place(group, row, a_piece(index + I * INVOCATIONS));
#end
#for I in 0..B_COPIES
  places.in_b[I] = b_place(group, column, b_piece(index + I * INVOCATIONS));
#end
  return places;
}

fn fetch_blocks(group: u32, row: u32, k: u32, index: u32, places: Places) -> Fetched {
  var fetched = Fetched();
#for I in 0..A_COPIES
  fetched.of_a[I] = fetch_a(group, k, a_piece(index + I * INVOCATIONS), places.in_a[I]);
#end
#for I in 0..B_COPIES
  fetched.of_b[I] = fetch_b(group, k, b_piece(index + I * INVOCATIONS), places.in_b[I]);
#end
#if a_scale
#for I in 0..A_COPIES
  fetched.factors[I] = a_factor(group, row, k, a_piece(index + I * INVOCATIONS));
#end
#end
  return fetched;
}

// Into workgroup memory, from element `first` on.
fn store_blocks(first: u32, index: u32, sums_rows: bool, fetched: Fetched, parts: ptr<function, RowParts>) {
#for I in 0..A_COPIES
  if (A_SIZE % INVOCATIONS == 0u || index + I * INVOCATIONS < A_SIZE) {
    let at = first + (index + I * INVOCATIONS) / A_WIDTH * A_STRIDE + index % A_WIDTH;
#if a_scale
    let values = scaled(a_values(fetched.of_a[I]), fetched.factors[I]);
    blocks[at] = rounded(values);
#else
    blocks[at] = a_halves(fetched.of_a[I]);
#end
#if row_sums
    if (sums_rows) {
#if a_scale
      *parts += values;
#else
      *parts += a_values(fetched.of_a[I]);
#end
    }
#end
  }
#end
#for I in 0..B_COPIES
  if (B_SIZE % INVOCATIONS == 0u || index + I * INVOCATIONS < B_SIZE) {
    let i = index + I * INVOCATIONS;
    blocks[first + A_BLOCK + i / B_WIDTH * B_STRIDE + i % B_WIDTH] = b_halves(fetched.of_b[I]);
  }
#end
}

// Ends with a barrier: after it the memory of the blocks is free.
fn add_products(
  group: u32,
  row: u32,
  column: u32,
  k_begin: u32,
  k_end: u32,
  sums_rows: bool,
  index: u32,
  subgroup: u32,
  sum: ptr<function, Sums>,
  parts: ptr<function, RowParts>,
) {
  let places = places_of(group, row, column, index);
#if PREFETCH
  store_blocks(0u, index, sums_rows, fetch_blocks(group, row, k_begin, index, places), parts);
  workgroupBarrier();
  var first = 0u;
  for (var k = k_begin; k < k_end; k += TILE_K) {
    let next = k + TILE_K;
    var fetched = Fetched();
    if (next < k_end) {
      fetched = fetch_blocks(group, row, next, index, places);
    }
    multiply_blocks(first, first + A_BLOCK, subgroup, sum);
#if BUFFERS == 1
    workgroupBarrier();
#else
    first = A_BLOCK + B_BLOCK - first;
#end
    if (next < k_end) {
      store_blocks(first, index, sums_rows, fetched, parts);
    }
    workgroupBarrier();
  }
#else
  for (var k = k_begin; k < k_end; k += TILE_K) {
    store_blocks(0u, index, sums_rows, fetch_blocks(group, row, k, index, places), parts);
    workgroupBarrier();
    multiply_blocks(0u, A_BLOCK, subgroup, sum);
    workgroupBarrier();
  }
#end
}

#if row_sums
fn finish_row_sums(z: u32, row: u32, index: u32, parts: RowParts) {
  blocks[2u * index] = bitcast<vec4u>(parts[0]);
  blocks[2u * index + 1u] = bitcast<vec4u>(parts[1]);
  workgroupBarrier();
  if (index < A_WIDTH) {
    var all = parts;
    for (var i = index + A_WIDTH; i < INVOCATIONS; i += A_WIDTH) {
      all += Values(bitcast<vec4f>(blocks[2u * i]), bitcast<vec4f>(blocks[2u * i + 1u]));
    }
    store_row_sums(z, row + index * 8u, all[0]);
    store_row_sums(z, row + index * 8u + 4u, all[1]);
  }
  workgroupBarrier();
}
#end

fn staged(i: u32) -> vec4f {
  return bitcast<vec4f>(blocks[i]);
}
