// Attention, all gradients of a window of few keys in one kernel, for GPUs: the mathematics of
// attention-backward-query-tiled.wgsl and attention-backward-key-tiled.wgsl.
//
// A workgroup owns all keys of one head of one group and CHUNK queries, all where they are few, so that scores and dp are made once: five products instead of the
// seven of two kernels, every array is read once, and neither D nor, with one chunk, partial sums go through memory. PARTS invocations
// share a key and own every PARTS-th vec4 of its channels; they keep those of k and v, and the sums of dk and dv, in
// registers: four vec4s of each at most, all of them by name, for a list that a loop indexes would stay in memory. The
// keys lie in workgroup memory besides, where dq wants all of them. For each TILE queries:
//   1. all copy Q and dout, and leave the products of dout and out;
//   2. one invocation a query adds those up to D; all make their parts of the scores and dp of a key;
//   3. the first four that share a key add up the parts, two queries each, to p and ds;
//   4. all add to dk and dv of their key, and then make dq of two queries and a vec4 of channels, a sum over the keys.
// p and ds of keys and queries beyond the last are 0. No subgroup operations: sums have one order, whatever the device.
// A row of workgroup memory is one vec4 longer than its contents, so that neighbours lie in different banks.
//
// Header: KEYS (8 or 16, at least LK), PARTS (a multiple of four), PART_VEC4S (vec4s of an invocation, at most four),
// INVOCATIONS (KEYS · PARTS), DEPTH (4 · PARTS · PART_VEC4S); math/exponential.wgsl, attention-rows.wgsl,
// attention-gradient-stores.wgsl.
// Data: attention-backward-window-arrays.wgsl; CHUNK (a multiple of TILE where there are several), SPLITS (chunks).
// Layout of partial_sums, which stand in for dk and dv: those of attention-backward-reduce.wgsl.

#if partial_sums
var<storage, read_write> partial_sums: array<f32>;

fn store_part(row: u32, c: u32, value: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    if (4u * c + i < HEAD_DIMENSION) {
      partial_sums[row + 4u * c + i] = value[i];
    }
  }
}
#end

const PAIRS = 4u;
const TILE = 2u * PAIRS;
// Vec4s of a row; those beyond the head are zero.
const VEC4S = PARTS * PART_VEC4S;
const STRIDE = VEC4S + 1u;
const TILE_VEC4S = TILE * VEC4S;
const PARTS_STRIDE = PARTS + 1u;
const PARTS_OF_PAIR = KEYS * PARTS_STRIDE;
const PAIRS_STRIDE = PAIRS + 1u;

var<workgroup> k_rows: array<vec4f, KEYS * STRIDE>;
var<workgroup> q_tile: array<vec4f, TILE * STRIDE>;
var<workgroup> d_out_tile: array<vec4f, TILE * STRIDE>;
// dout · out of a vec4.
var<workgroup> products: array<f32, TILE * STRIDE>;
var<workgroup> deltas: array<f32, TILE>;
var<workgroup> log_sums: array<f32, TILE>;
// Of two queries: [pair][key][part], then [key][pair].
var<workgroup> score_parts: array<vec2f, PAIRS * PARTS_OF_PAIR>;
var<workgroup> dp_parts: array<vec2f, PAIRS * PARTS_OF_PAIR>;
var<workgroup> weights: array<vec2f, KEYS * PAIRS_STRIDE>;
var<workgroup> score_gradients: array<vec2f, KEYS * PAIRS_STRIDE>;

// Vec4 c of the first (`row` 0) or last (4) four queries of the tile.
fn q_columns(row: u32, c: u32) -> mat4x4f {
  let at = row * STRIDE + c;
  return mat4x4f(q_tile[at], q_tile[at + STRIDE], q_tile[at + 2u * STRIDE], q_tile[at + 3u * STRIDE]);
}

fn d_out_columns(row: u32, c: u32) -> mat4x4f {
  let at = row * STRIDE + c;
  return mat4x4f(d_out_tile[at], d_out_tile[at + STRIDE], d_out_tile[at + 2u * STRIDE], d_out_tile[at + 3u * STRIDE]);
}

// Scores and dp, or p and ds, of one key and the first and last four queries of the tile.
struct KeyColumn {
  p_first: vec4f,
  p_last: vec4f,
  ds_first: vec4f,
  ds_last: vec4f,
}

// `scores` with vec4 c of key and value counted in.
fn with_vec4(scores: KeyColumn, key: vec4f, value: vec4f, c: u32) -> KeyColumn {
  return KeyColumn(
    scores.p_first + key * q_columns(0u, c),
    scores.p_last + key * q_columns(4u, c),
    scores.ds_first + value * d_out_columns(0u, c),
    scores.ds_last + value * d_out_columns(4u, c),
  );
}

fn store_parts(at: u32, scores: KeyColumn) {
  score_parts[at] = scores.p_first.xy;
  score_parts[at + PARTS_OF_PAIR] = scores.p_first.zw;
  score_parts[at + 2u * PARTS_OF_PAIR] = scores.p_last.xy;
  score_parts[at + 3u * PARTS_OF_PAIR] = scores.p_last.zw;
  dp_parts[at] = scores.ds_first.xy;
  dp_parts[at + PARTS_OF_PAIR] = scores.ds_first.zw;
  dp_parts[at + 2u * PARTS_OF_PAIR] = scores.ds_last.xy;
  dp_parts[at + 3u * PARTS_OF_PAIR] = scores.ds_last.zw;
}

// p and ds of a key and two queries, the first of which is `query`.
fn store_p_and_ds(key: u32, pair: u32, query: u32) {
  let first = pair * PARTS_OF_PAIR + key * PARTS_STRIDE;
  var score = vec2f();
  var dp = vec2f();
  for (var part = 0u; part < rolled(PARTS); part++) {
    score += score_parts[first + part];
    dp += dp_parts[first + part];
  }
  let l = vec2f(log_sums[2u * pair], log_sums[2u * pair + 1u]);
  let d = vec2f(deltas[2u * pair], deltas[2u * pair + 1u]);
  let valid = vec2u(query, query + 1u) < vec2u(select(0u, LQ, key < LK));
  let p = select(vec2f(), exponential4(vec4f(score * SCALE - l, 0.0, 0.0)).xy, valid);
  weights[key * PAIRS_STRIDE + pair] = p;
  score_gradients[key * PAIRS_STRIDE + pair] = select(vec2f(), p * (dp - d), valid);
}

fn p_and_ds_of(key: u32) -> KeyColumn {
  let at = key * PAIRS_STRIDE;
  return KeyColumn(
    vec4f(weights[at], weights[at + 1u]),
    vec4f(weights[at + 2u], weights[at + 3u]),
    vec4f(score_gradients[at], score_gradients[at + 1u]),
    vec4f(score_gradients[at + 2u], score_gradients[at + 3u]),
  );
}

// A vec4 of dk and of dv.
struct Sums {
  k: vec4f,
  v: vec4f,
}

// `sums` with the tile counted in.
fn with_tile(sums: Sums, column: KeyColumn, c: u32) -> Sums {
  return Sums(
    sums.k + (q_columns(0u, c) * column.ds_first + q_columns(4u, c) * column.ds_last),
    sums.v + (d_out_columns(0u, c) * column.p_first + d_out_columns(4u, c) * column.p_last),
  );
}

// Vec4s `index`, `index` + INVOCATIONS … of the tile that begins at query i; two loads of each array side by side.
fn copy_tile(i: u32, index: u32, q_head: u32, out_head: u32, d_out_head: u32) {
  for (var near = index; near < rolled(TILE_VEC4S); near += 2u * INVOCATIONS) {
    let far = near + INVOCATIONS;
    // Queries beyond the last are that query again and count nothing.
    let near_row = min(i + near / VEC4S, LQ - 1u);
    let far_row = min(i + far / VEC4S, LQ - 1u);
    let near_q = load_vec4(&q, q_head + near_row * Q_ROW, near % VEC4S);
    let far_q = load_vec4(&q, q_head + far_row * Q_ROW, far % VEC4S);
    let near_d_out = load_vec4(&d_out, d_out_head + near_row * D_OUT_ROW, near % VEC4S);
    let far_d_out = load_vec4(&d_out, d_out_head + far_row * D_OUT_ROW, far % VEC4S);
    let near_out = load_vec4(&out, out_head + near_row * OUT_ROW, near % VEC4S);
    let far_out = load_vec4(&out, out_head + far_row * OUT_ROW, far % VEC4S);
    let near_at = near / VEC4S * STRIDE + near % VEC4S;
    q_tile[near_at] = near_q;
    d_out_tile[near_at] = near_d_out;
    products[near_at] = dot(near_d_out, near_out);
    if (far < TILE_VEC4S) {
      let far_at = far / VEC4S * STRIDE + far % VEC4S;
      q_tile[far_at] = far_q;
      d_out_tile[far_at] = far_d_out;
      products[far_at] = dot(far_d_out, far_out);
    }
  }
}

@compute @workgroup_size(INVOCATIONS)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) index: u32) {
  let tile = group.x + group.y * GRID_X;
  if (tile >= TILES) {
    return;
  }
  let key = index / PARTS;
  let part = index % PARTS;
  let split = tile % SPLITS;
  let h = tile / SPLITS % HEADS;
  let g = tile / SPLITS / HEADS;
  let q_head = Q_OFFSET + g * Q_GROUP + h * HEAD;
  let out_head = OUT_OFFSET + g * OUT_GROUP + h * HEAD;
  let d_out_head = D_OUT_OFFSET + g * D_OUT_GROUP + h * HEAD;
  let dq_head = DQ_OFFSET + g * DQ_GROUP + h * HEAD;
  let statistics = LOG_SUM_EXP_OFFSET + (g * HEADS + h) * LQ;
  // Keys beyond the last are that key again.
  let k_row = K_OFFSET + g * K_GROUP + h * HEAD + min(key, LK - 1u) * K_ROW;
  let v_row = V_OFFSET + g * V_GROUP + h * HEAD + min(key, LK - 1u) * V_ROW;
  let c0 = part;
  let c1 = part + min(1u, PART_VEC4S - 1u) * PARTS;
  let c2 = part + min(2u, PART_VEC4S - 1u) * PARTS;
  let c3 = part + min(3u, PART_VEC4S - 1u) * PARTS;
  let k0 = load_vec4(&k, k_row, c0);
  let k1 = load_vec4(&k, k_row, c1);
  let k2 = load_vec4(&k, k_row, c2);
  let k3 = load_vec4(&k, k_row, c3);
  let v0 = load_vec4(&v, v_row, c0);
  let v1 = load_vec4(&v, v_row, c1);
  let v2 = load_vec4(&v, v_row, c2);
  let v3 = load_vec4(&v, v_row, c3);
  if (key < LK) {
    k_rows[key * STRIDE + c0] = k0;
    k_rows[key * STRIDE + c1] = k1;
    k_rows[key * STRIDE + c2] = k2;
    k_rows[key * STRIDE + c3] = k3;
  }
  var sums0 = Sums();
  var sums1 = Sums();
  var sums2 = Sums();
  var sums3 = Sums();

  let end = min((split + 1u) * CHUNK, LQ);
  for (var i = split * CHUNK; i < end; i += TILE) {
    copy_tile(i, index, q_head, out_head, d_out_head);
    if (index < TILE) {
      log_sums[index] = log_sum_exp[statistics + min(i + index, LQ - 1u)];
    }
    workgroupBarrier();
    if (index < TILE) {
      var d = 0.0;
      for (var c = 0u; c < rolled(VEC4S); c++) {
        d += products[index * STRIDE + c];
      }
      deltas[index] = d;
    }
    var scores = with_vec4(KeyColumn(), k0, v0, c0);
    if (PART_VEC4S > 1u) {
      scores = with_vec4(scores, k1, v1, c1);
    }
    if (PART_VEC4S > 2u) {
      scores = with_vec4(scores, k2, v2, c2);
    }
    if (PART_VEC4S > 3u) {
      scores = with_vec4(scores, k3, v3, c3);
    }
    store_parts(key * PARTS_STRIDE + part, scores);
    workgroupBarrier();
    if (part < PAIRS) {
      store_p_and_ds(key, part, i + 2u * part);
    }
    workgroupBarrier();
    let column = p_and_ds_of(key);
    sums0 = with_tile(sums0, column, c0);
    if (PART_VEC4S > 1u) {
      sums1 = with_tile(sums1, column, c1);
    }
    if (PART_VEC4S > 2u) {
      sums2 = with_tile(sums2, column, c2);
    }
    if (PART_VEC4S > 3u) {
      sums3 = with_tile(sums3, column, c3);
    }
    for (var at = index; at < rolled(PAIRS * VEC4S); at += INVOCATIONS) {
      let pair = at / VEC4S;
      let c = at % VEC4S;
      var first = vec4f();
      var second = vec4f();
      for (var j = 0u; j < LK; j++) {
        let key_vec4 = k_rows[j * STRIDE + c];
        let ds = score_gradients[j * PAIRS_STRIDE + pair];
        first += key_vec4 * ds.x;
        second += key_vec4 * ds.y;
      }
      let query = i + 2u * pair;
      if (query < LQ) {
        store_vec4(&dq, dq_head + query * DQ_ROW, c, first * SCALE);
      }
      if (query + 1u < LQ) {
        store_vec4(&dq, dq_head + (query + 1u) * DQ_ROW, c, second * SCALE);
      }
    }
    workgroupBarrier();
  }

  if (key < LK) {
#if partial_sums
    let part_row = ((split * GROUPS + g) * LK + key) * 2u * HEADS * HEAD_DIMENSION + h * HEAD_DIMENSION;
    let v_part = part_row + HEADS * HEAD_DIMENSION;
#for I in 0..4
    if (PART_VEC4S > I) {
      store_part(part_row, c{I}, sums{I}.k * SCALE);
      store_part(v_part, c{I}, sums{I}.v);
    }
#end
#else
    let dk_row = DK_OFFSET + g * DK_GROUP + h * HEAD + key * DK_ROW;
    let dv_row = DV_OFFSET + g * DV_GROUP + h * HEAD + key * DV_ROW;
    store_dk(dk_row, c0, sums0.k * SCALE);
    store_dv(dv_row, c0, sums0.v);
    if (PART_VEC4S > 1u) {
      store_dk(dk_row, c1, sums1.k * SCALE);
      store_dv(dv_row, c1, sums1.v);
    }
    if (PART_VEC4S > 2u) {
      store_dk(dk_row, c2, sums2.k * SCALE);
      store_dv(dv_row, c2, sums2.v);
    }
    if (PART_VEC4S > 3u) {
      store_dk(dk_row, c3, sums3.k * SCALE);
      store_dv(dv_row, c3, sums3.v);
    }
#end
  }
}
