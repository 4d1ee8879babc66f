// The sums of workgroup-sum.wgsl with two barriers instead of 2 + log2(LANES): each subgroup adds its own
// values in registers, then every subgroup adds the sums of all.  Header: LANES; needs `enable subgroups`.
//
// Nothing is assumed about subgroup sizes or about which invocations form a subgroup: each subgroup's sum goes
// to the slot of its elected invocation and zeros to the other slots, and in the second stage the active
// invocations of a subgroup, numbered by an exclusive count, walk over all LANES slots.

var<workgroup> sum_scratch: array<vec3f, LANES>;

fn workgroup_sum3(value: vec3f, lane: u32) -> vec3f {
  let own = subgroupAdd(value);
  sum_scratch[lane] = select(vec3f(), own, subgroupElect());
  let active_count = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  var total = vec3f();
  for (var slot = rank; slot < LANES; slot += active_count) {
    total += sum_scratch[slot];
  }
  total = subgroupAdd(total);
  workgroupBarrier();
  return total;
}

var<workgroup> scalar_scratch: array<f32, LANES>;

fn workgroup_sum(value: f32, lane: u32) -> f32 {
  let own = subgroupAdd(value);
  scalar_scratch[lane] = select(0.0, own, subgroupElect());
  let active_count = subgroupAdd(1u);
  let rank = subgroupExclusiveAdd(1u);
  workgroupBarrier();
  var total = 0.0;
  for (var slot = rank; slot < LANES; slot += active_count) {
    total += scalar_scratch[slot];
  }
  total = subgroupAdd(total);
  workgroupBarrier();
  return total;
}
