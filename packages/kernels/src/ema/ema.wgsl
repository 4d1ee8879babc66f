// Exponential moving average of weights over a flat bank, in place:
//
//   a ← d · a + (1 − d) · p, written as a ← a + (1 − d) · (p − a)
//
// The second form keeps an average that has reached p there. In the first one d and 1 − d are rounded apart: at
// d = 0.9999 their f32 sum is off by up to 6e-8, and the average would settle at a multiple of p that is wrong by
// 6e-8 / (1 − d) = 6e-4.
//
// Header: COUNT (loads), AVERAGE_OFFSET, VALUES_OFFSET (loads), GRID_X (workgroups along x), ONE_MINUS_DECAY, HAS_STEP,
// STEP_OFFSET (elements); runtime/element-*.wgsl. Layout: average and values are contiguous f32. step is what adamw.wgsl
// reads: where its fourth number says that the step was skipped, the average stays too; without HAS_STEP it is any array.
// One invocation handles four loads a workgroup's width apart, so that neighbouring invocations touch neighbouring
// addresses.

@group(0) @binding(0) var<storage, read_write> average: array<Element>;
@group(0) @binding(1) var<storage, read> values: array<Element>;
@group(0) @binding(2) var<storage, read> step: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  if (HAS_STEP && step[STEP_OFFSET + 3u] != 0.0) {
    return;
  }
  let base = (group.x + group.y * GRID_X) * 256u + lane;
  for (var k = 0u; k < 4u; k++) {
    let i = base + k * 64u;
    if (i < COUNT) {
      let a = average[AVERAGE_OFFSET + i];
      average[AVERAGE_OFFSET + i] = a + ONE_MINUS_DECAY * (values[VALUES_OFFSET + i] - a);
    }
  }
}
