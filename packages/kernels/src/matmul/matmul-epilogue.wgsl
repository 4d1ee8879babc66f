// What happens to four neighbouring elements of the product before they reach memory:
//
//   value = ALPHA · product + bias          (kept in pre_activation if there is one)
//   value = GELU(value) · GELU′(gelu_input) · row_scale[row / ROWS_PER_SCALE]
//   out   = out + residual + value
//
// where each factor and term is there only if its array is, GELU if it says so, and `out` is added if ADD_TO_OUT is
// not 0. Arrays of bias, factors and residual may be given for nothing: then HAS_… is 0, and they are not read. Drivers
// pass over what no invocation asks for (llvmpipe too: in no measurable time), while each set of arrays is a program.
// Header: N, ALPHA, GELU, ADD_TO_OUT, and for arrays that are there HAS_BIAS, BIAS_OFFSET, HAS_ROW_SCALE,
// ROW_SCALE_OFFSET, ROWS_PER_SCALE, HAS_RESIDUAL and the data of rows; matmul-operands.wgsl and, for GELU,
// gelu-function.wgsl or, where out is of f16, gelu-function-half.wgsl.

#if bias
var<storage, read> bias: array<Element>;
#end
#if pre_activation_f16
var<storage, read_write> pre_activation: array<Half>;
#else
#if pre_activation
var<storage, read_write> pre_activation: array<Element>;
#end
#end
#if gelu_input_f16
var<storage, read> gelu_input: array<Half>;
#else
#if gelu_input
var<storage, read> gelu_input: array<Element>;
#end
#end
#if row_scale
var<storage, read> row_scale: array<f32>;
#end
#if residual
var<storage, read> residual: array<Element>;
#end

// `row` counts the rows of out (of all groups); `column` is a multiple of four below N.
fn finish(row: u32, column: u32, product: vec4f) {
  let valid = N - column;
  var value = ALPHA * product;
#if bias
  if (HAS_BIAS != 0u) {
    value += load(&bias, BIAS_OFFSET + column, valid);
  }
#end
#if pre_activation
  let kept = row_start(row, PRE_ACTIVATION_OFFSET, PRE_ACTIVATION_INNER, PRE_ACTIVATION_INVERSE,
                       PRE_ACTIVATION_INNER_STRIDE, PRE_ACTIVATION_OUTER_STRIDE);
#if pre_activation_f16
  store_half(&pre_activation, kept + column, valid, value);
#else
  store(&pre_activation, kept + column, valid, value);
#end
#end
#if GELU
  value = vec4f(gelu(value.x), gelu(value.y), gelu(value.z), gelu(value.w));
#end
#if gelu_input
  let input = row_start(row, GELU_INPUT_OFFSET, GELU_INPUT_INNER, GELU_INPUT_INVERSE, GELU_INPUT_INNER_STRIDE,
                        GELU_INPUT_OUTER_STRIDE);
#if gelu_input_f16
  let u = load_half(&gelu_input, input + column, valid);
#else
  let u = load(&gelu_input, input + column, valid);
#end
  value *= vec4f(gelu_derivative(u.x), gelu_derivative(u.y), gelu_derivative(u.z), gelu_derivative(u.w));
#end
#if row_scale
  if (HAS_ROW_SCALE != 0u) {
    // A dropped path is exactly zero, whatever it holds.
    let factor = row_scale[ROW_SCALE_OFFSET + row / ROWS_PER_SCALE];
    value = select(factor * value, vec4f(0.0), factor == 0.0);
  }
#end
#if residual
  if (HAS_RESIDUAL != 0u) {
    let added = row_start(row, RESIDUAL_OFFSET, RESIDUAL_INNER, RESIDUAL_INVERSE, RESIDUAL_INNER_STRIDE,
                          RESIDUAL_OUTER_STRIDE);
    value += load(&residual, added + column, valid);
  }
#end
  let start = row_start(row, OUT_OFFSET, OUT_INNER, OUT_INVERSE, OUT_INNER_STRIDE, OUT_OUTER_STRIDE) + column;
  if (ADD_TO_OUT != 0u) {
    value += load_out(start, valid);
  }
  store_out(start, valid, value);
}
