// Maximum over the LANES invocations of a workgroup, by the tree of workgroup-sum.wgsl. Put in front of the
// kernel; header: LANES (a power of two). All invocations must call; all receive the maximum.

var<workgroup> max_scratch: array<f32, LANES>;

fn workgroup_max(value: f32, lane: u32) -> f32 {
  max_scratch[lane] = value;
  workgroupBarrier();
  for (var width = LANES / 2u; width > 0u; width >>= 1u) {
    if (lane < width) {
      max_scratch[lane] = max(max_scratch[lane], max_scratch[lane + width]);
    }
    workgroupBarrier();
  }
  let total = max_scratch[0];
  workgroupBarrier();
  return total;
}
