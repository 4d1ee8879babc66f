// Arrays and data of every kernel that makes all gradients of a window; dk and dv are in attention-gradient-stores.wgsl.
//
// Header: attention-rows.wgsl.
// Data: that of attention-backward-query-arrays.wgsl and of DK, DV likewise, without BLOCKS.
// Layout: as in attention-arrays.wgsl.

var<storage, read_write> dq: array<Result>;
var<storage, read> q: array<Element>;
var<storage, read> k: array<Element>;
var<storage, read> v: array<Element>;
#if out
var<storage, read> out: array<Element>;
#end
var<storage, read> d_out: array<Element>;
var<storage, read> log_sum_exp: array<f32>;
