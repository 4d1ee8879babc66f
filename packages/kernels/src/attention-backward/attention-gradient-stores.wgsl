// Where dq, dk and dv go, in buffers of their own or as slices of fewer, which WebGPU lets a dispatch bind for writing
// only once: dk that is not given lies in the buffer of dq, dv in that of dk. Precedes the kernels that write dk and
// dv.
//
// Header: attention-rows.wgsl.

#if dk
var<storage, read_write> dk: array<Result>;
#end
#if dv
var<storage, read_write> dv: array<Result>;
#end

fn store_dk(row: u32, c: u32, value: vec4f) {
#if dk
  store_vec4(&dk, row, c, value);
#else
  store_vec4(&dq, row, c, value);
#end
}

fn store_dv(row: u32, c: u32, value: vec4f) {
#if dv
  store_vec4(&dv, row, c, value);
#else
  store_dk(row, c, value);
#end
}
