// What the levels of a frame become, found from the levels that it has: AutoContrast, Equalize and Contrast as Pillow
// does them, bit for bit. With n pixels, of which h[v] have level v, and mean luma m:
//
//   AutoContrast: (v − lowest) · 255 / (highest − lowest), where double precision may fall short of a whole number by
//                 so little that it is cut to the one below: bits from the host say where
//   Equalize:     (step / 2 + h[0] + … + h[v − 1]) / step, step = (n − h[highest]) / 255, all whole numbers
//   Contrast:     m + factor · (v − m), by a table of changes
//
// Data: JOBS_OFFSET. Layout: a record of `jobs` for each frame, and what is looked up and made in `table`, see
// tone-tables.ts. One workgroup makes the three tables of a frame; sums are of whole numbers, in any order.

var<storage, read> pixels: array<u32>;
var<storage, read> jobs: array<u32>;
var<storage, read_write> table: array<u32>;

const RECORD = 5u;
const AUTO_CONTRAST = 0u;
const EQUALIZE = 1u;
const LANES = 64u;

var<workgroup> counts: array<atomic<u32>, 768>;
var<workgroup> luma_sum: atomic<u32>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) lane: u32) {
  let job = JOBS_OFFSET + group.x * RECORD;
  let first = jobs[job];
  let count = jobs[job + 1u];
  let kind = jobs[job + 2u];
  for (var i = lane; i < 768u; i += LANES) {
    atomicStore(&counts[i], 0u);
  }
  if (lane == 0u) {
    atomicStore(&luma_sum, 0u);
  }
  workgroupBarrier();
  var sum = 0u;
  for (var i = lane; i < count; i += LANES) {
    let pixel = pixels[first + i];
    let value = (vec3u(pixel) >> vec3u(0u, 8u, 16u)) & vec3u(0xffu);
    sum += (19595u * value.x + 38470u * value.y + 7471u * value.z + 0x8000u) >> 16u;
    atomicAdd(&counts[value.x], 1u);
    atomicAdd(&counts[256u + value.y], 1u);
    atomicAdd(&counts[512u + value.z], 1u);
  }
  atomicAdd(&luma_sum, sum);
  workgroupBarrier();
  if (lane >= 3u) {
    return;
  }
  let own = 256u * lane;
  var lowest = 255u;
  var highest = 0u;
  var of_highest = 0u;
  for (var level = 0u; level < 256u; level++) {
    let pixels_of_level = atomicLoad(&counts[own + level]);
    let present = pixels_of_level > 0u;
    lowest = min(lowest, select(255u, level, present));
    highest = select(highest, level, present);
    of_highest = select(of_highest, pixels_of_level, present);
  }
  let range = max(highest - lowest, 1u);
  let step = max((count - of_highest) / 255u, 1u);
  // Where a frame has one level, or too few pixels, it stays.
  let stays = select(highest == lowest, count - of_highest < 255u, kind == EQUALIZE);
  let mean = (2u * atomicLoad(&luma_sum) + count) / (2u * count);
  let helper = jobs[job + 4u];
  let bits = table[helper + select(0u, range, kind == AUTO_CONTRAST)];
  let exact_levels = bits >> 24u;
  var below = step / 2u;
  for (var level = 0u; level < 256u; level++) {
    let scaled = (clamp(level, lowest, highest) - lowest) * 255u;
    let stretched = scaled / range;
    let bit = (bits & 0xffffffu) + lowest * (exact_levels + 1u) + stretched * exact_levels / 255u;
    let falls_short = stretched * range == scaled && ((table[helper + bit / 32u] >> (bit % 32u)) & 1u) == 1u;
    let contrast_entry = table[helper + 255u + level - mean];
    let contrast = i32(mean + (contrast_entry & 0xffffu)) - (1 << 15u) + select(0, 1, mean >= contrast_entry >> 16u);
    var made = u32(clamp(contrast, 0, 255));
    made = select(made, min(below / step, 255u), kind == EQUALIZE);
    made = select(made, stretched - select(0u, 1u, falls_short), kind == AUTO_CONTRAST);
    made = select(made, level, stays && (kind == AUTO_CONTRAST || kind == EQUALIZE));
    table[jobs[job + 3u] + own + level] = made + (1u << 15u) + 0xffff0000u;
    below += atomicLoad(&counts[own + level]);
  }
}
