// Arrays and data of every kernel that makes the gradient of the queries and no other.
//
// Header: attention-rows.wgsl.
// Data: HEADS, LQ, LK, SCALE; …_OFFSET, …_GROUP, …_ROW (in elements of WIDTH) of Q, K, V, OUT, D_OUT, DQ;
// LOG_SUM_EXP_OFFSET; BLOCKS (of a head), TILES (blocks in all), GRID_X.
// Layout: as in attention-arrays.wgsl; delta [G, H, LQ] contiguous from 0.

var<storage, read_write> dq: array<Result>;
var<storage, read_write> delta: array<f32>;
var<storage, read> q: array<Element>;
var<storage, read> k: array<Element>;
var<storage, read> v: array<Element>;
var<storage, read> out: array<Element>;
var<storage, read> d_out: array<Element>;
var<storage, read> log_sum_exp: array<f32>;
