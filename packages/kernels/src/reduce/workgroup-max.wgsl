// Maximum over the INVOCATIONS invocations of a workgroup, by the tree of workgroup-sum.wgsl. Put in front of the
// kernel; header: INVOCATIONS (a power of two), IN_SUBGROUP. All invocations must call; all receive the maximum.

#if IN_SUBGROUP
enable subgroups;

fn workgroup_max(value: f32, invocation: u32) -> f32 {
  var greatest = value;
  for (var step = INVOCATIONS / 2u; step > 0u; step >>= 1u) {
    greatest = max(greatest, subgroupShuffleXor(greatest, step));
  }
  return greatest;
}
#else
var<workgroup> max_scratch: array<f32, INVOCATIONS>;

fn workgroup_max(value: f32, invocation: u32) -> f32 {
  max_scratch[invocation] = value;
  workgroupBarrier();
  for (var width = INVOCATIONS / 2u; width > 0u; width >>= 1u) {
    if (invocation < width) {
      max_scratch[invocation] = max(max_scratch[invocation], max_scratch[invocation + width]);
    }
    workgroupBarrier();
  }
  let total = max_scratch[0];
  workgroupBarrier();
  return total;
}
#end
