// Matrix product through workgroup memory with 8 × 8 sums an invocation, for GPUs and large outputs.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// A workgroup of WIDTH × HEIGHT invocations owns 8 · HEIGHT rows and 8 · WIDTH columns; an invocation two quads of
// rows times two quads of columns, half a block apart. Both blocks lie in workgroup memory with k outermost, whatever
// their orientation elsewhere, so that a step of k reads four vec4 for 64 multiply–adds: half the reads a
// multiply–add that 4 × 4 sums need. An operand that is contiguous along k is turned on its way: an invocation loads
// a piece of 4 × 4 elements, four vec4 along k, and stores it transposed. Quads are exchanged by a bit pattern of k
// (`place`), or else invocations that store pieces of one quad at different k would meet in the same banks.
//
// Sums are reached by constant indices alone, and steps of k are written out: a loop over sums that a compiler does
// not unroll keeps them in memory, which cost a factor of 12 on an H100 where the epilogue had a GELU, and steps of k
// in a loop cost 30 %. Tried there and lost: 128 × 64 and 64 × 128 blocks (a third slower), TILE_K of 8 (as much) and
// 32, loads of the next block ahead of the products (equal).
//
// The method is that of the register-blocked SGEMMs after Volkov & Demmel, 2008. workgroup_id.z is
// group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, WIDTH, HEIGHT (multiples of 8), SPLITS, K_PER_SPLIT (a multiple of 16), TRANSPOSE_A, TRANSPOSE_B,
// K_EDGES (there are steps of k that are not whole), KEEP_LOOPS (loops keep a bound that compilers cannot tell:
// software drivers take minutes to compile them unrolled); matmul-operands.wgsl, matmul-epilogue.wgsl and
// matmul-blocks.wgsl.

const TILE_K = 16u;
const A_QUADS = 2u * HEIGHT;
const B_QUADS = 2u * WIDTH;
const SLOTS = TILE_K / 4u;
const INVOCATIONS = WIDTH * HEIGHT;
const A_PIECES = A_QUADS * SLOTS;
const ALL_PIECES = A_PIECES + B_QUADS * SLOTS;
const PIECES = ALL_PIECES / INVOCATIONS; // of an invocation: one or two
const_assert ALL_PIECES % INVOCATIONS == 0u && PIECES <= 2u;

var<workgroup> a_block: array<vec4f, TILE_K * A_QUADS>;
var<workgroup> b_block: array<vec4f, TILE_K * B_QUADS>;

// Where a quad lies in the rows of k in [4 · slot, 4 · slot + 4).
fn place(quad: u32, slot: u32) -> u32 {
  return quad ^ (slot * (8u / SLOTS));
}

// Four steps of k (the columns) of four rows of op(A), or four columns of op(B).
fn load_piece(group: u32, row: u32, column: u32, k: u32, piece: u32) -> mat4x4f {
  if (piece < A_PIECES) {
    if (TRANSPOSE_A) {
      let at = row + piece % A_QUADS * 4u;
      let k0 = k + piece / A_QUADS * 4u;
      return mat4x4f(load_a_across(group, k0, at), load_a_across(group, k0 + 1u, at),
                     load_a_across(group, k0 + 2u, at), load_a_across(group, k0 + 3u, at));
    }
    let k0 = k + piece % SLOTS * 4u;
    let at = row + piece / SLOTS * 4u;
    return transpose(mat4x4f(load_a_along(group, at, k0), load_a_along(group, at + 1u, k0),
                             load_a_along(group, at + 2u, k0), load_a_along(group, at + 3u, k0)));
  }
  let rest = piece - A_PIECES;
  if (TRANSPOSE_B) {
    let k0 = k + rest % SLOTS * 4u;
    let at = column + rest / SLOTS * 4u;
    return transpose(mat4x4f(load_b_along(group, at, k0), load_b_along(group, at + 1u, k0),
                             load_b_along(group, at + 2u, k0), load_b_along(group, at + 3u, k0)));
  }
  let at = column + rest % B_QUADS * 4u;
  let k0 = k + rest / B_QUADS * 4u;
  return mat4x4f(load_b_across(group, k0, at), load_b_across(group, k0 + 1u, at),
                 load_b_across(group, k0 + 2u, at), load_b_across(group, k0 + 3u, at));
}

fn store_piece(piece: u32, value: mat4x4f) {
  if (piece < A_PIECES) {
    let slot = select(piece % SLOTS, piece / A_QUADS, TRANSPOSE_A);
    let quad = select(piece / SLOTS, piece % A_QUADS, TRANSPOSE_A);
    let at = slot * 4u * A_QUADS + place(quad, slot);
    a_block[at] = value[0];
    a_block[at + A_QUADS] = value[1];
    a_block[at + 2u * A_QUADS] = value[2];
    a_block[at + 3u * A_QUADS] = value[3];
    return;
  }
  let rest = piece - A_PIECES;
  let slot = select(rest / B_QUADS, rest % SLOTS, TRANSPOSE_B);
  let quad = select(rest % B_QUADS, rest / SLOTS, TRANSPOSE_B);
  let at = slot * 4u * B_QUADS + place(quad, slot);
  b_block[at] = value[0];
  b_block[at + B_QUADS] = value[1];
  b_block[at + 2u * B_QUADS] = value[2];
  b_block[at + 3u * B_QUADS] = value[3];
}

// Rows of an invocation: near columns, far columns.
alias Sums = array<vec4f, 16>;

// Products of step i of k; `slot` is i / 4, and constant where i is.
fn multiply_step(i: u32, slot: u32, invocation: vec3u, sum: ptr<function, Sums>, row_sum: ptr<function, array<vec4f, 2>>) {
  let a_at = i * A_QUADS + place(invocation.y, slot);
  let b_at = i * B_QUADS + place(invocation.x, slot);
  let a0 = a_block[a_at];
  let a1 = a_block[a_at + HEIGHT];
  let b0 = b_block[b_at];
  let b1 = b_block[b_at + WIDTH];
#if row_sums
  (*row_sum)[0] += a0;
  (*row_sum)[1] += a1;
#end
#for I in 0..4
  (*sum)[2u * I] += a0[I] * b0;
  (*sum)[2u * I + 1u] += a0[I] * b1;
#end
#for I in 0..4
  (*sum)[8u + 2u * I] += a1[I] * b0;
  (*sum)[9u + 2u * I] += a1[I] * b1;
#end
}

fn multiply_slot(slot: u32, invocation: vec3u, sum: ptr<function, Sums>, row_sum: ptr<function, array<vec4f, 2>>) {
#for I in 0..4
  multiply_step(4u * slot + I, slot, invocation, sum, row_sum);
#end
}

// Near and far columns of row i.
fn sums_of_row(i: u32, sum: ptr<function, Sums>) -> array<vec4f, 2> {
  switch i {
#for I in 0..8
    case I: {
      return array<vec4f, 2>((*sum)[2u * I], (*sum)[2u * I + 1u]);
    }
#end
    default: {
      return array<vec4f, 2>();
    }
  }
}

@compute @workgroup_size(WIDTH, HEIGHT)
fn main(
  @builtin(workgroup_id) tile: vec3u,
  @builtin(local_invocation_id) invocation: vec3u,
  @builtin(local_invocation_index) index: u32,
) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * 8u * HEIGHT;
  let column = tile.x * 8u * WIDTH;
  var sum: Sums = Sums();
  var row_sum: array<vec4f, 2> = array<vec4f, 2>();

  for (var k = k_begin; k < k_end; k += TILE_K) {
    let piece0 = load_piece(group, row, column, k, index);
    if (PIECES > 1u) {
      let piece1 = load_piece(group, row, column, k, index + INVOCATIONS);
      store_piece(index + INVOCATIONS, piece1);
    }
    store_piece(index, piece0);
    workgroupBarrier();
#if KEEP_LOOPS
    // A bound that compilers cannot tell.
    for (var i = 0u; i < select(0u, TILE_K, K > 0u); i++) {
      multiply_step(i, i / 4u, invocation, &sum, &row_sum);
    }
#else
#for I in 0..4
    multiply_slot(I, invocation, &sum, &row_sum);
#end
#end
    workgroupBarrier();
  }

  let first = row + invocation.y * 4u;
  let at = column + invocation.x * 4u;
#if row_sums
  if (at == 0u) {
    store_row_sums(tile.z, first, row_sum[0]);
    store_row_sums(tile.z, first + 4u * HEIGHT, row_sum[1]);
  }
#end
  // GPUs reach sums by constant indices once compilers have unrolled this.
  for (var i = 0u; i < select(8u, select(0u, 8u, K > 0u), KEEP_LOOPS); i++) {
    let r = first + i % 4u + i / 4u * 4u * HEIGHT;
    let sums = sums_of_row(i, &sum);
    if (r < M) {
      if (at < N) {
        finish(tile.z * M + r, at, sums[0]);
      }
      if (at + 4u * WIDTH < N) {
        finish(tile.z * M + r, at + 4u * WIDTH, sums[1]);
      }
    }
  }
}
