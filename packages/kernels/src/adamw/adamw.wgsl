// AdamW with decoupled weight decay over a flat bank of parameters of any number of groups, in place.
// Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; order of operations as in torch.optim:
//
//   g ← g · scale;  p ← p − (lr · wd) p;  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
//   p ← p − (lr / c₁) · m / (√v / √c₂ + ε),   c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
//
// Header: COUNT, *_OFFSET (elements), GRID_X, BETA1, ONE_MINUS_BETA1, BETA2, ONE_MINUS_BETA2, EPSILON.
// Layout: parameters, gradients, first, second: contiguous f32 of COUNT elements. group_of_block[k] is the group of
// elements 256 k … 256 k + 255. groups: four f32 each, (lr, wd, –, –). step = (c₁, c₂, gradient scale, skip): what
// changes from step to step is data, so that a recorded step can be replayed. skip ≠ 0 leaves all as it was.
// twin, where it is given: the new parameters rounded to f16, which products read in place of them.
// The decay is subtracted rather than multiplied by 1 − lr · wd, a factor whose rounding would be a tenth of the
// decay where lr · wd is 1e-6, the same way at every step.
// One workgroup updates one block of 256 elements, so that the group is uniform in it.

var<storage, read_write> parameters: array<f32>;
var<storage, read> gradients: array<f32>;
var<storage, read_write> first: array<f32>;
var<storage, read_write> second: array<f32>;
var<storage, read> group_of_block: array<u32>;
var<storage, read> groups: array<f32>;
var<storage, read> step: array<f32>;
#if twin
var<storage, read_write> twin: array<f16>;
#end

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let block = group.x + group.y * GRID_X;
  if (block * 256u >= COUNT || step[STEP_OFFSET + 3u] != 0.0) {
    return;
  }
  let settings = GROUPS_OFFSET + group_of_block[GROUP_OF_BLOCK_OFFSET + block] * 4u;
  let learning_rate = groups[settings];
  let decay = learning_rate * groups[settings + 1u];
  let step_size = learning_rate / step[STEP_OFFSET];
  let root_correction2 = sqrt(step[STEP_OFFSET + 1u]);
  let scale = step[STEP_OFFSET + 2u];
  for (var k = 0u; k < 4u; k++) {
    let i = block * 256u + k * 64u + invocation;
    if (i < COUNT) {
      let g = gradients[GRADIENTS_OFFSET + i] * scale;
      let p = parameters[PARAMETERS_OFFSET + i];
      let m = BETA1 * first[FIRST_OFFSET + i] + ONE_MINUS_BETA1 * g;
      let v = BETA2 * second[SECOND_OFFSET + i] + ONE_MINUS_BETA2 * g * g;
      first[FIRST_OFFSET + i] = m;
      second[SECOND_OFFSET + i] = v;
      let updated = p - decay * p - step_size * (m / (sqrt(v) / root_correction2 + EPSILON));
      parameters[PARAMETERS_OFFSET + i] = updated;
#if twin
      twin[TWIN_OFFSET + i] = f16(updated);
#end
    }
  }
}
