// Matrix product through workgroup memory with 4 × 4 sums an invocation, for GPUs and small outputs.
//
//   out[m, n] = epilogue(Σ_k op(A)[m, k] · op(B)[k, n])
//
// A workgroup of K_GROUPS · 8 × 8 invocations owns a block of 32 × 32 elements, an invocation 4 × 4 of them in registers,
// for a K_GROUPS-th of the steps of k: outputs are too small to keep a GPU busy by their blocks alone. For every
// K_GROUPS · 32 steps of k the workgroup copies a block of A and one of B, each in the orientation that it has in memory,
// so that neighbouring invocations read neighbouring vec4. A block that is contiguous along k is kept as rows of SLOTS
// vec4; B's rows are rotated by their column block, or else the eight invocations that read at once would meet in the
// same banks. In the end the first group of 8 × 8 adds up what all have.
// The method is the common ground of WebGPU engines, after Goto & van de Geijn, 2008: block for each level of
// memory. workgroup_id.z is group · SPLITS + split; split s sums k in [s · K_PER_SPLIT, (s+1) · K_PER_SPLIT).
//
// Header: M, N, K, SPLITS, K_PER_SPLIT (a multiple of K_GROUPS · 32), TRANSPOSE_A, TRANSPOSE_B, K_GROUPS (1 to 4),
// K_EDGES (there are steps of k that are not whole);
// matmul-operands.wgsl, matmul-epilogue.wgsl and matmul-blocks.wgsl.
// The loops over a block end at a bound known only at run time: unrolled reads of workgroup arrays take a
// software driver half a minute to compile.

const WIDTH = 8u;
const TILE = 4u * WIDTH;
const TILE_K = 32u * K_GROUPS;
const SLOTS = TILE_K / 4u;
const GROUP_SLOTS = SLOTS / K_GROUPS;
const GROUP_INVOCATIONS = WIDTH * WIDTH;
const INVOCATIONS = GROUP_INVOCATIONS * K_GROUPS;
const BLOCK = TILE * SLOTS; // vec4 of one block

var<workgroup> a_block: array<vec4f, BLOCK>;
var<workgroup> b_block: array<vec4f, BLOCK>;

// Where slot `slot` of B's row `row` lies in its block.
fn rotated(row: u32, slot: u32) -> u32 {
  return row * SLOTS + (slot + row / 4u) % SLOTS;
}

fn load_a_quad(group: u32, row: u32, k: u32, i: u32) -> vec4f {
  if (TRANSPOSE_A) {
    return load_a_across(group, k + i / WIDTH, row + (i % WIDTH) * 4u);
  }
  return load_a_along(group, row + i / SLOTS, k + (i % SLOTS) * 4u);
}

fn load_b_quad(group: u32, column: u32, k: u32, i: u32) -> vec4f {
  if (TRANSPOSE_B) {
    return load_b_along(group, column + i / SLOTS, k + (i % SLOTS) * 4u);
  }
  return load_b_across(group, k + i / WIDTH, column + (i % WIDTH) * 4u);
}

fn store_b_quad(i: u32, value: vec4f) {
  if (TRANSPOSE_B) {
    b_block[rotated(i / SLOTS, i % SLOTS)] = value;
  } else {
    b_block[i] = value;
  }
}

// All loads are under way before the first store waits for one: a loop of a load and a store each takes a trip to
// memory after the other.
fn copy_blocks(group: u32, row: u32, column: u32, k: u32, index: u32) {
  let a0 = load_a_quad(group, row, k, index);
  let a1 = load_a_quad(group, row, k, index + INVOCATIONS);
  let a2 = load_a_quad(group, row, k, index + 2u * INVOCATIONS);
  let a3 = load_a_quad(group, row, k, index + 3u * INVOCATIONS);
  let b0 = load_b_quad(group, column, k, index);
  let b1 = load_b_quad(group, column, k, index + INVOCATIONS);
  let b2 = load_b_quad(group, column, k, index + 2u * INVOCATIONS);
  let b3 = load_b_quad(group, column, k, index + 3u * INVOCATIONS);
  a_block[index] = a0;
  a_block[index + INVOCATIONS] = a1;
  a_block[index + 2u * INVOCATIONS] = a2;
  a_block[index + 3u * INVOCATIONS] = a3;
  store_b_quad(index, b0);
  store_b_quad(index + INVOCATIONS, b1);
  store_b_quad(index + 2u * INVOCATIONS, b2);
  store_b_quad(index + 3u * INVOCATIONS, b3);
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) tile: vec3u, @builtin(local_invocation_index) index: u32) {
  let k_group = index / GROUP_INVOCATIONS;
  let invocation = vec2u(index % WIDTH, index / WIDTH % WIDTH);
  let group = tile.z / SPLITS;
  let k_begin = (tile.z % SPLITS) * K_PER_SPLIT;
  let k_end = min(k_begin + K_PER_SPLIT, K);
  let row = tile.y * TILE;
  let column = tile.x * TILE;
  var sum0 = vec4f(0.0);
  var sum1 = vec4f(0.0);
  var sum2 = vec4f(0.0);
  var sum3 = vec4f(0.0);
  var row_sum = vec4f(0.0);

  for (var k = k_begin; k < k_end; k += TILE_K) {
    copy_blocks(group, row, column, k, index);
    workgroupBarrier();

    let slots = min((k_group + 1u) * GROUP_SLOTS, (k_end - k + 3u) / 4u);
    for (var slot = k_group * GROUP_SLOTS; slot < slots; slot++) {
      if (TRANSPOSE_A) {
        for (var i = slot * 4u; i < slot * 4u + 4u; i++) {
          let a4 = a_block[i * WIDTH + invocation.y];
#if row_sums
          row_sum += a4;
#end
          let b4 = b_block[i * WIDTH + invocation.x];
          sum0 += a4.x * b4;
          sum1 += a4.y * b4;
          sum2 += a4.z * b4;
          sum3 += a4.w * b4;
        }
      } else {
        let a0 = a_block[(invocation.y * 4u) * SLOTS + slot];
        let a1 = a_block[(invocation.y * 4u + 1u) * SLOTS + slot];
        let a2 = a_block[(invocation.y * 4u + 2u) * SLOTS + slot];
        let a3 = a_block[(invocation.y * 4u + 3u) * SLOTS + slot];
        if (TRANSPOSE_B) {
          let b0 = b_block[rotated(invocation.x * 4u, slot)];
          let b1 = b_block[rotated(invocation.x * 4u + 1u, slot)];
          let b2 = b_block[rotated(invocation.x * 4u + 2u, slot)];
          let b3 = b_block[rotated(invocation.x * 4u + 3u, slot)];
          sum0 += vec4f(dot(a0, b0), dot(a0, b1), dot(a0, b2), dot(a0, b3));
          sum1 += vec4f(dot(a1, b0), dot(a1, b1), dot(a1, b2), dot(a1, b3));
          sum2 += vec4f(dot(a2, b0), dot(a2, b1), dot(a2, b2), dot(a2, b3));
          sum3 += vec4f(dot(a3, b0), dot(a3, b1), dot(a3, b2), dot(a3, b3));
        } else {
          let b0 = b_block[(slot * 4u) * WIDTH + invocation.x];
          let b1 = b_block[(slot * 4u + 1u) * WIDTH + invocation.x];
          let b2 = b_block[(slot * 4u + 2u) * WIDTH + invocation.x];
          let b3 = b_block[(slot * 4u + 3u) * WIDTH + invocation.x];
          sum0 += a0.x * b0 + a0.y * b1 + a0.z * b2 + a0.w * b3;
          sum1 += a1.x * b0 + a1.y * b1 + a1.z * b2 + a1.w * b3;
          sum2 += a2.x * b0 + a2.y * b1 + a2.z * b2 + a2.w * b3;
          sum3 += a3.x * b0 + a3.y * b1 + a3.z * b2 + a3.w * b3;
        }
      }
    }
    workgroupBarrier();
  }

#if K_GROUPS > 1
  if (k_group > 0u) {
    let mine = (index - GROUP_INVOCATIONS) * 4u;
    a_block[mine] = sum0;
    a_block[mine + 1u] = sum1;
    a_block[mine + 2u] = sum2;
    a_block[mine + 3u] = sum3;
    b_block[index] = row_sum;
  }
  workgroupBarrier();
  if (k_group > 0u) {
    return;
  }
  for (var other = 1u; other < K_GROUPS; other++) {
    let theirs = ((other - 1u) * GROUP_INVOCATIONS + index) * 4u;
    sum0 += a_block[theirs];
    sum1 += a_block[theirs + 1u];
    sum2 += a_block[theirs + 2u];
    sum3 += a_block[theirs + 3u];
    row_sum += b_block[other * GROUP_INVOCATIONS + index];
  }
#end
  let first = row + invocation.y * 4u;
  let at = column + invocation.x * 4u;
#if row_sums
  if (at == 0u) {
    store_row_sums(tile.z, first, row_sum);
  }
#end
  if (at < N) {
    // No array of the sums: indexed by a loop it would keep them in memory all along.
    if (first < M) {
      finish(tile.z * M + first, at, sum0);
    }
    if (first + 1u < M) {
      finish(tile.z * M + first + 1u, at, sum1);
    }
    if (first + 2u < M) {
      finish(tile.z * M + first + 2u, at, sum2);
    }
    if (first + 3u < M) {
      finish(tile.z * M + first + 3u, at, sum3);
    }
  }
}
