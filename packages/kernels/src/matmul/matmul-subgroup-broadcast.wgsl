// Matrix product from registers that a subgroup shares: no workgroup memory, no barrier.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// A workgroup is one subgroup of LANES invocations and owns ROWS rows × 4 · LANES columns, an invocation four columns
// of all rows. In four steps of k an invocation loads its own 4 × 4 elements of B, and ROWS / LANES vec4 of A, which
// the others get by broadcasts: no element of either operand is loaded twice.
//
// It is written for drivers that run shaders on a CPU. What llvmpipe 25.0.7 makes of a load inside a loop was read from
// its machine code: whatever the address, the lanes take turns, and each tests whether it is active, takes the buffer's
// address and size from memory, and compares its index with the size; about ten instructions an element, twice that
// for the first of a vec4. An address that all lanes share is no exception: only outside of all loops is it loaded
// once. A multiplication and an addition are one instruction each for eight lanes (fma() is taken apart again), and a
// variable that a loop carries costs one more in every pass, because inactive lanes keep their values. So elements are
// dear and products cheap: hence each element once, four steps of k in a pass, and all loads before all products
// (loads are branches, across which the compiler moves additions away from their products and both into memory).
// A broadcast is one permutation of a register.
//
// There, at 808×512×512 with eight lanes, it was 2.1 to 2.2 times as fast in every orientation as a kernel in which
// each invocation loaded all that it multiplied (NN on an idle machine: 62 against 30 GFLOP/s on 2 cores, from
// processor time; with tiles in workgroup memory 3 to 5). Rows × columns an invocation, GFLOP/s: 16 × 4: 55; 32 × 4: 62; 64 × 4: 40; 16 × 8: 44; 32 × 8: 40. The code of a pass should stay within
// the 32 KiB that a core's first cache holds. With loads between the products 32 × 4 reached 53.
//
// workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, LANES (size of every subgroup, at most 32), ROWS (8, 16 or 32; a multiple of LANES; 32 with
// TRANSPOSE_A), SPLITS, K_PER_SPLIT (a multiple of 4), TRANSPOSE_A, TRANSPOSE_B; matmul-operands.wgsl,
// matmul-epilogue.wgsl and shared-rows.wgsl.

// Of the four columns of op(B) that the invocation owns four steps of k: columns of the matrix are steps, rows columns.
#if TRANSPOSE_B
fn load_b_block(starts: vec4u, k: u32) -> mat4x4f {
  return transpose(mat4x4f(load_b(starts.x + k, K - k), load_b(starts.y + k, K - k),
                           load_b(starts.z + k, K - k), load_b(starts.w + k, K - k)));
}
#else
// K of op(A) that is not transposed are the columns of A: where fours are loaded, there are whole fours.
#if TRANSPOSE_A || LOAD_WIDTH < 4 || B_TWO_STRIDES
// Zeros past the last k.
fn load_b_row(group: u32, k: u32, at: u32) -> vec4f {
  let value = load_b(b_row(group * K + min(k, K - 1u)) + at, N - at);
  return select(value, vec4f(0.0), k >= K);
}

fn load_b_block(group: u32, k: u32, at: u32) -> mat4x4f {
  return mat4x4f(load_b_row(group, k, at), load_b_row(group, k + 1u, at),
                 load_b_row(group, k + 2u, at), load_b_row(group, k + 3u, at));
}
#else
fn load_b_block(group: u32, k: u32, at: u32) -> mat4x4f {
  let first = b_row(group * K + k) + at;
  let stride = B_INNER_STRIDE;
  return mat4x4f(load_b(first, N - at), load_b(first + stride, N - at),
                 load_b(first + 2u * stride, N - at), load_b(first + 3u * stride, N - at));
}
#end
#end

#if TRANSPOSE_A
// Load i of an invocation: step k + n / 8 of the four rows of op(A) from 4 · (n % 8) on, where n counts the loads of all.
fn load_a_part(group: u32, k: u32, row: u32, i: u32, lane: u32) -> vec4f {
  let n = i * LANES + lane;
  let at = min(row + n % 8u * 4u, (M - 1u) / 4u * 4u);
  let step = group * K + min(k + n / 8u, K - 1u);
  return scaled_a(step, load_a(a_row(step) + at, M - at));
}
#end

#if TRANSPOSE_A
// Rows from 4 · quad on, of which there are four steps of k.
fn add_quad(b: mat4x4f, steps: mat4x4f, quad: u32, sum: ptr<function, Tile>) {
  let rows = transpose(steps);
  add_row(b, rows[0], 4u * quad, sum);
  add_row(b, rows[1], 4u * quad + 1u, sum);
  add_row(b, rows[2], 4u * quad + 2u, sum);
  add_row(b, rows[3], 4u * quad + 3u, sum);
}

fn add_quads(b: mat4x4f, a: ptr<function, Parts>, sum: ptr<function, Tile>) {
#for Q in 0..8
  add_quad(b, mat4x4f(subgroupBroadcast(part(a, Q / LANES), Q % LANES),
                      subgroupBroadcast(part(a, (Q + 8u) / LANES), (Q + 8u) % LANES),
                      subgroupBroadcast(part(a, (Q + 16u) / LANES), (Q + 16u) % LANES),
                      subgroupBroadcast(part(a, (Q + 24u) / LANES), (Q + 24u) % LANES)), Q, sum);
#end
}
#end

@compute @workgroup_size(LANES)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(subgroup_invocation_id) lane: u32) {
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * ROWS;
  let column = (tile.x * LANES + lane) * 4u;
  var sum: Tile = Tile();
#if TRANSPOSE_B
  let b_first = group * N;
  let b_last = group * N + N - 1u;
  let b_starts = vec4u(b_row(min(b_first + column, b_last)), b_row(min(b_first + column + 1u, b_last)),
                       b_row(min(b_first + column + 2u, b_last)), b_row(min(b_first + column + 3u, b_last)));
#else
  let b_at = min(column, (N - 1u) / 4u * 4u);
#end
#if !TRANSPOSE_A
  // Four steps of k of one row a load.
  var starts: array<u32, LOADS> = array<u32, LOADS>();
#for I in 0..(ROWS + LANES - 1) / LANES
  starts[I] = a_row(group * M + min(row + I * LANES + lane, M - 1u));
#end
#end

  for (var k = k_begin; k < k_end; k += 4u) {
#if TRANSPOSE_B
    let b = load_b_block(b_starts, k);
#else
    let b = load_b_block(group, k, b_at);
#end
    var a: Parts = Parts();
#for I in 0..(ROWS + LANES - 1) / LANES
#if TRANSPOSE_A
    a[I] = load_a_part(group, k, row, I, lane);
#else
    a[I] = scaled_a(group * M + min(row + I * LANES + lane, M - 1u), load_a(starts[I] + k, K - k));
#end
#end
#if TRANSPOSE_A
    add_quads(b, &a, &sum);
#else
    add_rows(b, &a, &sum);
#end
  }

#if row_sums
  // A loop of its own, of few workgroups: inside the one above it costs 6 % of the product, here 1 %.
  if (tile.x == 0u) {
    for (var quad = lane; quad < ROWS / 4u; quad += LANES) {
      let first = row + 4u * quad;
      let at = min(first, (M - 1u) / 4u * 4u);
      var row_sum = vec4f(0.0);
      for (var k = k_begin; k < k_end; k++) {
        row_sum += scaled_a(k, load_a(a_row(k) + at, M - at));
      }
      store_row_sums(tile.z, first, row_sum);
    }
  }
#end
  // Kept rolled by a bound known only at run time, which also leaves out invocations that have no columns: a copy of the
  // epilogue for each row, or a branch inside of the loop, takes llvmpipe ten times as long to compile as all the rest.
  var result: Tile = sum;
  let rows = select(0u, min(ROWS, M - row), column < N);
  for (var i = 0u; i < rows; i++) {
    finish(tile.z * M + row + i, column, result[i]);
  }
}
