// Arrays and data of every kernel that makes the gradients of the keys and values and no other; those that it writes are in
// attention-gradient-stores.wgsl.
//
// Header: attention-rows.wgsl.
// Data: HEADS, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in elements of WIDTH) of Q, K, V, D_OUT, DK, DV;
// LOG_SUM_EXP_OFFSET; SPLITS, CHUNK, SPLIT_STRIDE (elements from one chunk's stores to the next one's); BLOCKS (of a head
// and chunk), TILES (blocks in all), GRID_X.
// Layout: as in attention-arrays.wgsl; delta [G, H, LQ] contiguous from 0.

var<storage, read> q: array<Element>;
var<storage, read> k: array<Element>;
var<storage, read> v: array<Element>;
var<storage, read> d_out: array<Element>;
var<storage, read> log_sum_exp: array<f32>;
var<storage, read> delta: array<f32>;
