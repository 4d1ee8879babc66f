// Rows of heads, four channels at a time, in front of every attention kernel. Arrays are of vec4 where the head
// dimension, all strides and all offsets are multiples of four (WIDTH 4), else of f32 (WIDTH 1). Channels beyond the
// head are zero, and are not stored. Arrays that are read are of f16 with HALF_INPUTS, those that are written with
// HALF_RESULTS; what is computed with is f32.
//
// Header: HALF_INPUTS, HALF_RESULTS, WIDTH, HEAD_DIMENSION; DEPTH (the head dimension, filled up to what the kernel
// wants: a multiple of four); KEEP_LOOPS (leave loops rolled: software drivers take minutes to compile them unrolled).
// Data: LQ.

#if WIDTH == 4
#if HALF_INPUTS
alias Element = vec4h;
#else
alias Element = vec4f;
#end
#if HALF_RESULTS
alias Result = vec4h;
#else
alias Result = vec4f;
#end
#else
#if HALF_INPUTS
alias Element = f16;
#else
alias Element = f32;
#end
#if HALF_RESULTS
alias Result = f16;
#else
alias Result = f32;
#end
#end

// Elements of a row of a head.
const HEAD = HEAD_DIMENSION / WIDTH;
const STEPS = vec4u(0u, 1u, 2u, 3u);

// The rows of one head: where they begin, elements from one to the next, and the last, which stands in for those
// beyond.
struct Rows {
  start: u32,
  stride: u32,
  last: u32,
}

// A constant `count`, but when loops must stay loops, in a form whose value compilers cannot tell.
fn rolled(count: u32) -> u32 {
  return select(count, select(0u, count, LQ > 0u), KEEP_LOOPS);
}

#if WIDTH == 4
// The c-th vec4 of the row that begins at `row`.
fn load_vec4(source: ptr<storage, array<Element>, read>, row: u32, c: u32) -> vec4f {
  if (HEAD_DIMENSION == DEPTH) {
    return vec4f((*source)[row + c]);
  }
  return select(vec4f(), vec4f((*source)[row + min(c, HEAD - 1u)]), c < HEAD);
}

// `c` lies below DEPTH / 4. Without a branch where that is the head: inside of a loop around private arrays a branch
// takes llvmpipe many times as long to compile as the rest.
fn store_vec4(target_rows: ptr<storage, array<Result>, read_write>, row: u32, c: u32, value: vec4f) {
#if HEAD_DIMENSION == DEPTH
  (*target_rows)[row + c] = Result(value);
#else
  if (c < HEAD) {
    (*target_rows)[row + c] = Result(value);
  }
#end
}
#else
fn load_channel(source: ptr<storage, array<Element>, read>, row: u32, channel: u32) -> f32 {
  return select(0.0, f32((*source)[row + min(channel, HEAD - 1u)]), channel < HEAD);
}

// The c-th four channels of the row that begins at `row`.
fn load_vec4(source: ptr<storage, array<Element>, read>, row: u32, c: u32) -> vec4f {
  return vec4f(
    load_channel(source, row, 4u * c),
    load_channel(source, row, 4u * c + 1u),
    load_channel(source, row, 4u * c + 2u),
    load_channel(source, row, 4u * c + 3u),
  );
}

#if DEPTH - HEAD_DIMENSION < 4
// Channels beyond the head store the last one again, for the same reason.
fn store_vec4(target_rows: ptr<storage, array<Result>, read_write>, row: u32, c: u32, value: vec4f) {
  let first = row + 4u * c;
  let last = HEAD - 1u - 4u * c;
  (*target_rows)[first] = Result(value.x);
#for I in 1..4
  (*target_rows)[first + min(I, last)] = Result(value[min(I, last)]);
#end
}
#else
fn store_channel(target_rows: ptr<storage, array<Result>, read_write>, row: u32, channel: u32, value: f32) {
  if (channel < HEAD) {
    (*target_rows)[row + channel] = Result(value);
  }
}

fn store_vec4(target_rows: ptr<storage, array<Result>, read_write>, row: u32, c: u32, value: vec4f) {
  store_channel(target_rows, row, 4u * c, value.x);
  store_channel(target_rows, row, 4u * c + 1u, value.y);
  store_channel(target_rows, row, 4u * c + 2u, value.z);
  store_channel(target_rows, row, 4u * c + 3u, value.w);
}
#end
#end

fn row_vec4(source: ptr<storage, array<Element>, read>, rows: Rows, row: u32, c: u32) -> vec4f {
  return load_vec4(source, rows.start + min(row, rows.last) * rows.stride, c);
}
