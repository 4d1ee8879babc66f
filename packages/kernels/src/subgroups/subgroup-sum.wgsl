// Sums over the INVOCATIONS invocations of a workgroup that lies in one subgroup, for kernels whose rows are reduced by
// one such workgroup each. Put in front of the kernel; header: INVOCATIONS (a power of two, at most the smallest
// subgroup).
//
// Every invocation adds what its partner has, log2(INVOCATIONS) times, without a barrier. All invocations must call;
// all receive the same bits, since both partners add the same two numbers. The order of additions is fixed.

enable subgroups;

fn subgroup_sum(value: f32) -> f32 {
  var sum = value;
  for (var step = INVOCATIONS / 2u; step > 0u; step >>= 1u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}

fn subgroup_sum3(value: vec3f) -> vec3f {
  var sum = value;
  for (var step = INVOCATIONS / 2u; step > 0u; step >>= 1u) {
    sum += subgroupShuffleXor(sum, step);
  }
  return sum;
}
