// How fast the adapter can multiply and add when nothing else is asked of it: three independent chains of vec4
// x ← x · factor + summand an invocation, so that latency does not limit, and few enough that a processor, which
// gives each component a register of its own, keeps them all in registers. Four links of a chain in a step hide
// the cost of the loop. Factor and summand come from memory; a compiler that knew them could fold the loop.
//
// Constants in front: STEPS, USE_FMA. inputs = [factor, summand]; one result an invocation keeps the work alive.

var<storage, read> inputs: array<f32>;
var<storage, read_write> results: array<f32>;

fn link(x: vec4f, factor: vec4f, summand: vec4f) -> vec4f {
  if USE_FMA {
    return fma(x, factor, summand);
  }
  return x * factor + summand;
}

fn advance(x: vec4f, factor: vec4f, summand: vec4f) -> vec4f {
  return link(link(link(link(x, factor, summand), factor, summand), factor, summand), factor, summand);
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  let factor = vec4f(inputs[0]);
  let summand = vec4f(inputs[1]);
  let start = vec4f(0f, 0.25f, 0.5f, 0.75f) + f32(id.x & 1023u) * 0x1p-10f;
  var x0: vec4f = start;
  var x1: vec4f = start + 1f;
  var x2: vec4f = start + 2f;
  for (var step = 0u; step < STEPS; step++) {
    x0 = advance(x0, factor, summand);
    x1 = advance(x1, factor, summand);
    x2 = advance(x2, factor, summand);
  }
  let total = x0 + x1 + x2;
  results[id.x] = total.x + total.y + total.z + total.w;
}
