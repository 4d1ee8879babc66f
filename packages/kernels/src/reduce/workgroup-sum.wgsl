// Sums over the LANES invocations of a workgroup, for kernels whose rows are reduced by one workgroup each.
// Put in front of the kernel; header: LANES (a power of two).
//
// A tree in workgroup memory: log2(LANES) steps, each behind a barrier, so that nothing depends on how the
// device forms subgroups. All invocations must call; all receive the sum. The order of additions is fixed.

var<workgroup> sum_scratch: array<vec3f, LANES>;

fn workgroup_sum3(value: vec3f, lane: u32) -> vec3f {
  sum_scratch[lane] = value;
  workgroupBarrier();
  for (var width = LANES / 2u; width > 0u; width >>= 1u) {
    if (lane < width) {
      sum_scratch[lane] += sum_scratch[lane + width];
    }
    workgroupBarrier();
  }
  let total = sum_scratch[0];
  workgroupBarrier();
  return total;
}

var<workgroup> scalar_scratch: array<f32, LANES>;

fn workgroup_sum(value: f32, lane: u32) -> f32 {
  scalar_scratch[lane] = value;
  workgroupBarrier();
  for (var width = LANES / 2u; width > 0u; width >>= 1u) {
    if (lane < width) {
      scalar_scratch[lane] += scalar_scratch[lane + width];
    }
    workgroupBarrier();
  }
  let total = scalar_scratch[0];
  workgroupBarrier();
  return total;
}
