// Backward of the weighted mean squared error with respect to the prediction:
//   dPrediction[r, c] = w(c) · (p − t) · gradientScale[0],   w = APPEARANCE_FACTOR for c < HALF, else MOTION_FACTOR.
// The factors are 2 · weight / (rows · HALF). Without HAS_SCALE the last factor is 1.
//
// Header: Element (f32 or vec4f; HALF, strides and offsets count Elements), COUNT, HALF, GRID_X, HAS_SCALE,
// APPEARANCE_FACTOR, MOTION_FACTOR, PREDICTION_*, TARGET_*, D_PREDICTION_* (row addressing), SCALE_OFFSET.
// One invocation handles four Elements a workgroup's width apart.

@group(0) @binding(0) var<storage, read> prediction: array<Element>;
@group(0) @binding(1) var<storage, read> goal: array<Element>;
@group(0) @binding(2) var<storage, read> gradient_scale: array<f32>;
@group(0) @binding(3) var<storage, read_write> d_prediction: array<Element>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  var factor = 1.0;
  if (HAS_SCALE) {
    factor = gradient_scale[SCALE_OFFSET];
  }
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let r = i / (2u * HALF);
      let c = i % (2u * HALF);
      let p = prediction[PREDICTION_OFFSET + (r / PREDICTION_INNER) * PREDICTION_OUTER_STRIDE +
          (r % PREDICTION_INNER) * PREDICTION_INNER_STRIDE + c];
      let t = goal[TARGET_OFFSET + (r / TARGET_INNER) * TARGET_OUTER_STRIDE +
          (r % TARGET_INNER) * TARGET_INNER_STRIDE + c];
      let to = D_PREDICTION_OFFSET + (r / D_PREDICTION_INNER) * D_PREDICTION_OUTER_STRIDE +
          (r % D_PREDICTION_INNER) * D_PREDICTION_INNER_STRIDE + c;
      d_prediction[to] = (p - t) * (select(MOTION_FACTOR, APPEARANCE_FACTOR, c < HALF) * factor);
    }
  }
}
