// Attention on matrix units (tensor cores), for GPUs: the mathematics and layout of attention-tiled.wgsl; blocks of
// queries against blocks of keys with a running maximum, as in flash attention (Dao et al., 2022).
//
// q, k, v and the weights exp(score − maximum) are rounded to f16 on their way into workgroup memory; products, scores
// (SCALE is applied to those, in f32), exponentials and all sums are f32. Beside the rounding of the inputs, `out` errs
// by that of the weights: 2⁻¹¹ of Σⱼ pⱼ·|vⱼ| at most.
//
// A workgroup owns TILE_Q = STRIPS · UNIT_M queries of one head, a strip of UNIT_M for each subgroup, whose queries and
// sums of values stay in registers. For each TILE_K keys:
//   1. all copy a block of K, and one of V turned, [channels, keys]: units load what lies along the extent that is
// summed
//      at twice the speed of what lies across it (measured on an H100 in products);
//   2. a subgroup multiplies its strip with the keys; single elements of a matrix cannot be reached, so that the scores
//      go to the stage;
//   3. four invocations share a row of it (their maximum goes through quad operations, for which subgroups of any size
//      are large enough) and write the weights, as f16, over the keys, which are no longer needed;
//   4. a subgroup adds its strip of weights times the values.
// The maximum that weights are relative to is raised only when a row exceeds it by RISE: sums of values must then
// travel through the stage, which with a rise at every step would cost more than the products. Until then weights are
// at most 2^RISE, well inside f16, and no less exact for that. The other way out, a first pass over all keys for their
// maximum, takes half as many products again and each score through the stage a second time. Windows of up to TILE_K
// keys have one step, those of up to 2 · TILE_K rarely a rise.
// Keys beyond the last are that key again and weigh nothing. Where subgroups turn out smaller than their largest size
// there are more of them than strips, and the rest takes part in steps 1 and 3 only.
// No atomics but the flag that says whether any row rises; the order of all additions is fixed.
//
// Header: STRIPS, TILE_K (a multiple of 16, 2 · UNIT_N and UNIT_K; at most 64), as attention-matrix-operations.wgsl and
// attention-matrix-copies.wgsl, which precede it. Data: attention-arrays.wgsl.

const LOWEST = -3.4e38;
const LOG2_E = 1.44269504;
const LN_2 = 0.69314718;
const RISE = 8.0;
const TILE_Q = STRIPS * UNIT_M;

// Of weights, [queries, keys], and of values, [channels, keys].
const WEIGHT_STRIDE = TILE_K / 4u + 2u;
const STAGE_STRIDE = max(TILE_K, DEPTH) / 4u + 2u;
// In elements of four: queries, then in turn keys and weights; after them values.
const VALUES = max(max(TILE_Q, TILE_K) * STRIDE, TILE_Q * WEIGHT_STRIDE);

var<workgroup> halves: array<vec4h, VALUES + DEPTH * WEIGHT_STRIDE>;
var<workgroup> stage: array<vec4f, TILE_Q * STAGE_STRIDE>;
// Of each row, an entry for each invocation that shares it; maxima in units of ln 2.
var<workgroup> row_max: array<f32, TILE_Q * SHARERS>;
var<workgroup> row_sum: array<f32, TILE_Q * SHARERS>;
var<workgroup> row_keep: array<f32, TILE_Q * SHARERS>;
var<workgroup> rises: atomic<u32>;
var<workgroup> has_risen: u32;

// Four scores of a row, in units of ln 2; the n-th four of the invocation, of which there are TILE_K / 16.
fn scores_of(row: u32, key: u32, part: u32, n: u32) -> vec4f {
  if (n >= TILE_K / 16u) {
    return vec4f(LOWEST);
  }
  let column = part + n * SHARERS;
  let valid = vec4u(key + 4u * column) + STEPS < vec4u(LK);
  return select(vec4f(LOWEST), stage[row * STAGE_STRIDE + column] * (SCALE * LOG2_E), valid);
}

// Writes the weights of four keys; returns their sum.
fn store_weights(row: u32, part: u32, n: u32, scores: vec4f, m: f32) -> f32 {
  if (n >= TILE_K / 16u) {
    return 0.0;
  }
  let p = exp2(scores - m);
  halves[row * WEIGHT_STRIDE + part + n * SHARERS] = vec4h(p);
  return (p.x + p.y) + (p.z + p.w);
}

fn largest(s: vec4f) -> f32 {
  return max(max(s.x, s.y), max(s.z, s.w));
}

@compute @workgroup_size(INVOCATIONS)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_index) index: u32,
  @builtin(subgroup_id) subgroup: u32,
  @builtin(subgroup_size) subgroup_size: u32,
  @builtin(subgroup_invocation_id) lane: u32,
) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let row = tile % BLOCKS * TILE_Q;
  let h = (tile / BLOCKS) % HEADS;
  let g = tile / (BLOCKS * HEADS);
  let q_rows = Rows(Q_OFFSET + g * Q_GROUP + h * HEAD, Q_ROW, LQ - 1u);
  let k_rows = Rows(K_OFFSET + g * K_GROUP + h * HEAD, K_ROW, LK - 1u);
  let v_rows = Rows(V_OFFSET + g * V_GROUP + h * HEAD, V_ROW, LK - 1u);
  // Invocations in the order in which subgroups hold them: four of one row are a quad of a subgroup.
  let member = subgroup * subgroup_size + lane;
  let part = member % SHARERS;
  let strip = subgroup * UNIT_M;

  copy_rows(&q, q_rows, row, TILE_Q, 0u, index);
  for (var r = member / SHARERS; r < rolled(TILE_Q); r += ROWS_AT_ONCE) {
    row_max[r * SHARERS + part] = LOWEST;
    row_sum[r * SHARERS + part] = 0.0;
  }
  workgroupBarrier();
  var query: Lefts = Lefts();
  var sum: Sums = Sums();
  if (subgroup < STRIPS) {
    load_lefts(strip * STRIDE, STRIDE, &query);
  }
  workgroupBarrier();

  for (var key = 0u; key < LK; key += TILE_K) {
    copy_rows(&k, k_rows, key, TILE_K, 0u, index);
    copy_turned(&v, v_rows, key, TILE_K, VALUES, WEIGHT_STRIDE, index);
    workgroupBarrier();

    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_K); n += 2u * UNIT_N) {
        dots(&query, n * STRIDE, STRIDE, strip * STAGE_STRIDE + n / 4u, STAGE_STRIDE);
      }
    }
    workgroupBarrier();

    // All invocations of a quad go on together: rows beyond the last are that row again, and written to none.
    for (var first = 0u; first < rolled(TILE_Q); first += ROWS_AT_ONCE) {
      let own = first + member / SHARERS;
      let r = min(own, TILE_Q - 1u);
      let s0 = scores_of(r, key, part, 0u);
      let s1 = scores_of(r, key, part, 1u);
      let s2 = scores_of(r, key, part, 2u);
      let s3 = scores_of(r, key, part, 3u);
      var top = largest(max(max(s0, s1), max(s2, s3)));
      top = max(top, quadSwapX(top));
      top = max(top, quadSwapY(top));
      if (own < TILE_Q) {
        let at = r * SHARERS + part;
        let before = row_max[at];
        let rose = top > before + RISE;
        let m = select(before, top, rose);
        let keep = select(1.0, exp2(before - m), rose);
        let p0 = store_weights(r, part, 0u, s0, m);
        let p1 = store_weights(r, part, 1u, s1, m);
        let p2 = store_weights(r, part, 2u, s2, m);
        let p3 = store_weights(r, part, 3u, s3, m);
        row_sum[at] = row_sum[at] * keep + ((p0 + p1) + (p2 + p3));
        row_max[at] = m;
        if (LK > TILE_K) {
          row_keep[at] = keep;
          if (rose) {
            atomicStore(&rises, 1u);
          }
        }
      }
    }
    workgroupBarrier();

    if (LK > TILE_K) {
      if (index == 0u) {
        has_risen = atomicLoad(&rises);
        atomicStore(&rises, 0u);
      }
      // The sums of the first step are zero, whatever they are multiplied by.
      if (workgroupUniformLoad(&has_risen) == 1u && key > 0u) {
        if (subgroup < STRIPS) {
          store_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &sum);
        }
        workgroupBarrier();
        for (var i = index; i < rolled(TILE_Q * VEC4S); i += INVOCATIONS) {
          stage[i / VEC4S * STAGE_STRIDE + i % VEC4S] *= row_keep[i / VEC4S * SHARERS];
        }
        workgroupBarrier();
        if (subgroup < STRIPS) {
          load_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &sum);
        }
      }
    }

    if (subgroup < STRIPS) {
      for (var n = 0u; n < rolled(TILE_K); n += UNIT_K) {
        let weights = load_left(strip * WEIGHT_STRIDE + n / 4u, WEIGHT_STRIDE);
        add_turned(weights, VALUES + n / 4u, WEIGHT_STRIDE, &sum);
      }
    }
    workgroupBarrier();
  }

  if (subgroup < STRIPS) {
    store_sums(strip * STAGE_STRIDE, STAGE_STRIDE, &sum);
  }
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ + row;
  for (var first = 0u; first < rolled(TILE_Q); first += ROWS_AT_ONCE) {
    let own = first + member / SHARERS;
    let at = min(own, TILE_Q - 1u) * SHARERS + part;
    var l = row_sum[at];
    l += quadSwapX(l);
    l += quadSwapY(l);
    if (own < TILE_Q) {
      row_keep[at] = 1.0 / l;
      if (part == 0u && row + own < LQ) {
        log_sum_exp[statistics + own] = row_max[at] * LN_2 + log(l);
      }
    }
  }
  workgroupBarrier();
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD;
  for (var i = index; i < rolled(TILE_Q * VEC4S); i += INVOCATIONS) {
    let r = i / VEC4S;
    if (row + r < LQ) {
      let value = stage[r * STAGE_STRIDE + i % VEC4S] * row_keep[r * SHARERS];
      store_vec4(&out, out_head + (row + r) * OUT_ROW, i % VEC4S, value);
    }
  }
}
