// Arrays and data of every kernel of the forward pass.
//
// Header: attention-rows.wgsl.
// Data: HEADS, LQ, LK, SCALE; Q_OFFSET, Q_GROUP, Q_ROW and the same for K, V, OUT (in elements of WIDTH);
// LOG_SUM_EXP_OFFSET; BLOCKS (of a head), TILES (blocks in all), GRID_X.
// Layout: q, out [G, LQ, C] and k, v [G, LK, C] with any group and row stride; log_sum_exp [G, H, LQ] contiguous.

var<storage, read> q: array<Element>;
var<storage, read> k: array<Element>;
var<storage, read> v: array<Element>;
var<storage, read_write> out: array<Result>;
var<storage, read_write> log_sum_exp: array<f32>;
