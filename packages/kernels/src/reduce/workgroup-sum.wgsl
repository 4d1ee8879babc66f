// Sums over the INVOCATIONS invocations of a workgroup, for kernels whose rows are reduced by one workgroup each.
// Put in front of the kernel; header: INVOCATIONS (a power of two), IN_SUBGROUP.
//
// All invocations must call; all receive the same bits. The order of additions is fixed: a tree of log2(INVOCATIONS)
// steps. With IN_SUBGROUP the workgroup lies in one subgroup, and every invocation adds what its partner has, so that
// both add the same two numbers. Without it the tree is in workgroup memory, each step behind a barrier, and nothing
// depends on how the device forms subgroups. Without barriers, layer norm took 0.65 to 0.75 of the time on a software
// driver, which saves at each of them all that an invocation holds.

#if IN_SUBGROUP
enable subgroups;

fn workgroup_sum3(value: vec3f, invocation: u32) -> vec3f {
  var sum = value;
  for (var step = INVOCATIONS / 2u; step > 0u; step >>= 1u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}

fn workgroup_sum(value: f32, invocation: u32) -> f32 {
  var sum = value;
  for (var step = INVOCATIONS / 2u; step > 0u; step >>= 1u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}
#else
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
#end
