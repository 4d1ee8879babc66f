// Sums over the INVOCATIONS invocations of a workgroup, for kernels whose rows are reduced by one workgroup each.
// Put in front of the kernel; header: INVOCATIONS (a power of two).
//
// A tree in workgroup memory: log2(INVOCATIONS) steps, each behind a barrier, so that nothing depends on how the
// device forms subgroups. All invocations must call; all receive the sum. The order of additions is fixed.

var<workgroup> sum_scratch: array<vec3f, INVOCATIONS>;

fn workgroup_sum3(value: vec3f, invocation: u32) -> vec3f {
  sum_scratch[invocation] = value;
  workgroupBarrier();
  for (var width = INVOCATIONS / 2u; width > 0u; width >>= 1u) {
    if (invocation < width) {
      sum_scratch[invocation] += sum_scratch[invocation + width];
    }
    workgroupBarrier();
  }
  let total = sum_scratch[0];
  workgroupBarrier();
  return total;
}

var<workgroup> scalar_scratch: array<f32, INVOCATIONS>;

fn workgroup_sum(value: f32, invocation: u32) -> f32 {
  scalar_scratch[invocation] = value;
  workgroupBarrier();
  for (var width = INVOCATIONS / 2u; width > 0u; width >>= 1u) {
    if (invocation < width) {
      scalar_scratch[invocation] += scalar_scratch[invocation + width];
    }
    workgroupBarrier();
  }
  let total = scalar_scratch[0];
  workgroupBarrier();
  return total;
}
