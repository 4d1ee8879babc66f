// The operands of matmul: where rows start, and how four neighbouring elements of one are loaded and stored.
//
// With LOAD_WIDTH 4 every row of every matrix starts and ends on a multiple of four elements, and one load moves four;
// with 8 on one of eight, and A and B where they are of f16 are moved by eights, other arrays by four.
// With LOAD_WIDTH 1 offsets, strides and extents are any, elements are moved one by one, and what is past the end of a
// row is zero. `start` is the index of an element, `valid` the number of elements of the row that are left.
//
// a, b, out, pre_activation and gelu_input may each be of f16: they are computed with in f32, and rounded where they
// are stored.
//
// Header: LOAD_WIDTH (1, 4 or 8), A_TWO_STRIDES, B_TWO_STRIDES, M, N, with factors A_SCALE_OFFSET, ROWS_PER_A_SCALE and
// A_SCALE_INVERSE, and for each array X that there is, X_OFFSET, X_INNER, X_INVERSE, X_INNER_STRIDE and X_OUTER_STRIDE
// (row-start.wgsl).

#if LOAD_WIDTH >= 4
alias Element = vec4f;
#else
alias Element = f32;
#end
#if any_f16
#if LOAD_WIDTH >= 4
alias Half = vec4h;
#else
alias Half = f16;
#end
#end

#if a_f16
var<storage, read> a: array<InputHalf>;
#else
var<storage, read> a: array<Element>;
#end
#if b_f16
var<storage, read> b: array<InputHalf>;
#else
var<storage, read> b: array<Element>;
#end
#if out_f16
var<storage, read_write> out: array<Half>;
#else
var<storage, read_write> out: array<Element>;
#end

// Kernels that pass over rows ask for each of them: there the difference between one stride and two is worth a program.
#if A_TWO_STRIDES
fn a_row(row: u32) -> u32 {
  return row_start(row, A_OFFSET, A_INNER, A_INVERSE, A_INNER_STRIDE, A_OUTER_STRIDE);
}
#else
fn a_row(row: u32) -> u32 {
  return A_OFFSET + row * A_INNER_STRIDE;
}
#end

#if B_TWO_STRIDES
fn b_row(row: u32) -> u32 {
  return row_start(row, B_OFFSET, B_INNER, B_INVERSE, B_INNER_STRIDE, B_OUTER_STRIDE);
}
#else
fn b_row(row: u32) -> u32 {
  return B_OFFSET + row * B_INNER_STRIDE;
}
#end

#if LOAD_WIDTH >= 4
fn load(source: ptr<storage, array<Element>, read>, start: u32, valid: u32) -> vec4f {
  return (*source)[start / 4u];
}

fn load_out(start: u32, valid: u32) -> vec4f {
  return vec4f(out[start / 4u]);
}

fn store(target_array: ptr<storage, array<Element>, read_write>, start: u32, valid: u32, value: vec4f) {
  (*target_array)[start / 4u] = value;
}

#if any_f16
fn load_half(source: ptr<storage, array<Half>, read>, start: u32, valid: u32) -> vec4f {
  return vec4f((*source)[start / 4u]);
}

fn store_half(target_array: ptr<storage, array<Half>, read_write>, start: u32, valid: u32, value: vec4f) {
  (*target_array)[start / 4u] = vec4h(value);
}
#end
#else
// The positions of up to four elements, all inside the row, so that no load needs a branch.
fn inside(start: u32, valid: u32) -> vec4u {
  let last = max(valid, 1u) - 1u;
  return start + min(vec4u(0u, 1u, 2u, 3u), vec4u(last));
}

fn load(source: ptr<storage, array<Element>, read>, start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  let value = vec4f((*source)[at.x], (*source)[at.y], (*source)[at.z], (*source)[at.w]);
  return select(vec4f(0.0), value, vec4u(0u, 1u, 2u, 3u) < vec4u(valid));
}

fn load_out(start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  return vec4f(f32(out[at.x]), f32(out[at.y]), f32(out[at.z]), f32(out[at.w]));
}

fn store(target_array: ptr<storage, array<Element>, read_write>, start: u32, valid: u32, value: vec4f) {
  for (var i = 0u; i < min(valid, 4u); i++) {
    (*target_array)[start + i] = value[i];
  }
}

#if any_f16
fn load_half(source: ptr<storage, array<Half>, read>, start: u32, valid: u32) -> vec4f {
  let at = inside(start, valid);
  let value = vec4h((*source)[at.x], (*source)[at.y], (*source)[at.z], (*source)[at.w]);
  return select(vec4f(0.0), vec4f(value), vec4u(0u, 1u, 2u, 3u) < vec4u(valid));
}

fn store_half(target_array: ptr<storage, array<Half>, read_write>, start: u32, valid: u32, value: vec4f) {
  for (var i = 0u; i < min(valid, 4u); i++) {
    (*target_array)[start + i] = f16(value[i]);
  }
}
#end
#end

fn load_a(start: u32, valid: u32) -> vec4f {
#if a_f16
  return load_input_half(&a, start, valid);
#else
  return load(&a, start, valid);
#end
}

// What is loaded of a row of A, times the factor of the row, where rows have factors. A factor of zero makes zeros,
// whatever was there.
#if a_scale
var<storage, read> a_scale: array<f32>;

fn scaled_a(row: u32, value: vec4f) -> vec4f {
  let factor = a_scale[row_start(row, A_SCALE_OFFSET, ROWS_PER_A_SCALE, A_SCALE_INVERSE, 0u, 1u)];
  return select(factor * value, vec4f(0.0), factor == 0.0);
}
#else
fn scaled_a(row: u32, value: vec4f) -> vec4f {
  return value;
}
#end

fn load_b(start: u32, valid: u32) -> vec4f {
#if b_f16
  return load_input_half(&b, start, valid);
#else
  return load(&b, start, valid);
#end
}

fn store_out(start: u32, valid: u32, value: vec4f) {
#if out_f16
  store_half(&out, start, valid, value);
#else
  store(&out, start, valid, value);
#end
}

// Sums of the rows of op(A), beside the product: row_sums[m] = Σ_k A[k, m] of A stored [K, M], the bias gradient of a
// linear layer whose weight gradient the product is. A split of K leaves its own sums, M apart. ROW_SUMS is M, or 0
// where none are wanted.
#if row_sums
var<storage, read_write> row_sums: array<f32>;

fn store_row_sums(split: u32, first: u32, sum: vec4f) {
  for (var i = 0u; i < 4u; i++) {
    let row = first + i;
    if (row < ROW_SUMS) {
      let at = ROW_SUMS_OFFSET + split * M + row;
      row_sums[at] = select(0.0, row_sums[at], ADD_TO_ROW_SUMS != 0u) + sum[i];
    }
  }
}
#end
