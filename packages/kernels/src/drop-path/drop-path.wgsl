// Stochastic depth: the factors that residual branches are multiplied by, 0 where a branch is dropped, else
// 1 / (1 − rate). Huang et al., "Deep Networks with Stochastic Depth", ECCV 2016.
//
// Header: PURPOSE, BRANCHES, BATCH, UNITS, *_OFFSET (elements), GRID_X, UNITS_LIMIT; mul-high.wgsl, philox.wgsl.
// Layout: key = (seed low, seed high, epoch, –); branches [R, 3] = (branch number, ⌈rate · 2²⁴⌉, bits of the f32
// factor); samples [B]; out [R, B · UNITS] f32. A unit is what is dropped as one: a clip, or a region of it.
// Element (r, b, u) uses draw number branch · UNITS_LIMIT + u of the stream of sample b; it is dropped when the
// draw's upper 24 bits are below the threshold. One invocation makes one element.

var<storage, read> key: array<u32>;
var<storage, read> branches: array<u32>;
var<storage, read> samples: array<u32>;
var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let i = (group.x + group.y * GRID_X) * 64u + invocation;
  if (i >= BRANCHES * BATCH * UNITS) {
    return;
  }
  // Which sample of which branch, all branches' samples numbered through.
  let place = i / UNITS;
  let branch = place / BATCH;
  let row = BRANCHES_OFFSET + branch * 3u;
  let sample = samples[SAMPLES_OFFSET + place - branch * BATCH];
  let draw = branches[row] * UNITS_LIMIT + i - place * UNITS;
  let block = philox4x32(vec4u(draw / 4u, sample, key[2], PURPOSE), vec2u(key[0], key[1]));
  let dropped = (block[draw % 4u] >> 8u) < branches[row + 1u];
  out[OUT_OFFSET + i] = select(bitcast<f32>(branches[row + 2u]), 0.0, dropped);
}
