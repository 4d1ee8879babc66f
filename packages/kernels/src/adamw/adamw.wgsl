// AdamW with decoupled weight decay over a flat bank of parameters of any number of groups, in place.
// Loshchilov & Hutter, "Decoupled Weight Decay Regularization", ICLR 2019; order of operations as in torch.optim:
//
//   g ← g · scale;  p ← p − (lr · wd) p;  m ← β₁ m + (1 − β₁) g;  v ← β₂ v + (1 − β₂) g²
//   p ← p − (lr / c₁) · m / (√v / √c₂ + ε),   c₁ = 1 − β₁ᵗ, c₂ = 1 − β₂ᵗ
//
// Header: Element (f32 or vec4f; COUNT and the offsets of parameters, gradients, moments and twin count Elements), COUNT,
// *_OFFSET, GRID_X, BETA1, ONE_MINUS_BETA1, BETA2, ONE_MINUS_BETA2, EPSILON.
// Layout: parameters, gradients, first, second: contiguous, of COUNT Elements. group_of_block[k] is the group of
// numbers 256 k … 256 k + 255. groups: four f32 each, (lr, wd, –, –). step = (c₁, c₂, gradient scale, skip): what
// changes from step to step is data, so that a recorded step can be replayed. skip ≠ 0 leaves all as it was.
// twin, where it is given: the new parameters rounded to f16, which products read in place of them.
// The decay is subtracted rather than multiplied by 1 − lr · wd, a factor whose rounding would be a tenth of the
// decay where lr · wd is 1e-6, the same way at every step.
// One workgroup updates one block of 256 numbers, so that the group is uniform in it. An element at a time, a software
// driver took 1.4 times as long.

var<storage, read_write> parameters: array<Element>;
var<storage, read> gradients: array<Element>;
var<storage, read_write> first: array<Element>;
var<storage, read_write> second: array<Element>;
var<storage, read> group_of_block: array<u32>;
var<storage, read> groups: array<f32>;
var<storage, read> step: array<f32>;
#if twin
var<storage, read_write> twin: array<Half>;
#end

const PER_INVOCATION = 4u / u32(ELEMENT_WIDTH);

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let block = group.x + group.y * GRID_X;
  let first_of_block = block * 64u * PER_INVOCATION;
  if (first_of_block >= COUNT || step[STEP_OFFSET + 3u] != 0.0) {
    return;
  }
  let settings = GROUPS_OFFSET + group_of_block[GROUP_OF_BLOCK_OFFSET + block] * 4u;
  let learning_rate = groups[settings];
  let decay = learning_rate * groups[settings + 1u];
  let step_size = learning_rate / step[STEP_OFFSET];
  let root_correction2 = sqrt(step[STEP_OFFSET + 1u]);
  let scale = step[STEP_OFFSET + 2u];
  for (var k = 0u; k < PER_INVOCATION; k++) {
    let i = first_of_block + k * 64u + invocation;
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
      twin[TWIN_OFFSET + i] = Half(updated);
#end
    }
  }
}
