// Window-wise tube masks drawn on the GPU: the same positions visible in every temporal slot, equally many of
// every window (a region's height × width), as token lists.
//
// Header: PURPOSE, TIME, HEIGHT, WIDTH (token grid), REGION_TIME, WINDOW_HEIGHT, WINDOW_WIDTH, VISIBLE_PER_WINDOW,
// SAMPLES_OFFSET, VISIBLE_OFFSET, MASKED_OFFSET, ASCENDING_OFFSET, GRID_X, BATCH; mul-high.wgsl, philox.wgsl,
// philox-stream.wgsl.
// Layout: key = (seed low, seed high, epoch, –); tokens p = (t · HEIGHT + h) · WIDTH + w.
//   visible [B, M, REGION_TIME · VISIBLE_PER_WINDOW], region-major; masked and ascending [B, ·], ascending.
//
// One workgroup draws one sample's mask. Invocation 0 makes the draws, which depend on one another (a shuffle of
// each window from its end, one step per visible position); the others wait, then all share in writing the lists:
// a visible position's place is the number of visible positions before it, in its window and in its frame.

const POSITIONS = HEIGHT * WIDTH;
const WINDOW = WINDOW_HEIGHT * WINDOW_WIDTH;
const WINDOWS_DOWN = HEIGHT / WINDOW_HEIGHT;
const WINDOWS_ACROSS = WIDTH / WINDOW_WIDTH;

var<storage, read> key: array<u32>;
var<storage, read> samples: array<u32>;
var<storage, read_write> visible: array<u32>;
var<storage, read_write> masked: array<u32>;
var<storage, read_write> ascending: array<u32>;

var<workgroup> order: array<u32, WINDOW>;
var<workgroup> is_visible: array<u32, POSITIONS>;

fn draw(sample: u32) {
  stream_start(vec2u(key[0], key[1]), PURPOSE, key[2], sample);
  for (var q = 0u; q < POSITIONS; q++) {
    is_visible[q] = 0u;
  }
  for (var window = 0u; window < WINDOWS_DOWN * WINDOWS_ACROSS; window++) {
    let top = window / WINDOWS_ACROSS * WINDOW_HEIGHT;
    let left = window % WINDOWS_ACROSS * WINDOW_WIDTH;
    for (var i = 0u; i < WINDOW; i++) {
      order[i] = i;
    }
    for (var k = 0u; k < VISIBLE_PER_WINDOW; k++) {
      let last = WINDOW - 1u - k;
      let j = stream_integer(last + 1u);
      let chosen = order[j];
      order[j] = order[last];
      is_visible[(top + chosen / WINDOW_WIDTH) * WIDTH + left + chosen % WINDOW_WIDTH] = 1u;
    }
  }
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3u, @builtin(local_invocation_index) invocation: u32) {
  let b = group.x + group.y * GRID_X;
  if (b >= BATCH) {
    return;
  }
  if (invocation == 0u) {
    draw(samples[SAMPLES_OFFSET + b]);
  }
  workgroupBarrier();

  let visible_per_frame = WINDOWS_DOWN * WINDOWS_ACROSS * VISIBLE_PER_WINDOW;
  let masked_per_frame = POSITIONS - visible_per_frame;
  let visible_per_region = REGION_TIME * VISIBLE_PER_WINDOW;
  for (var q = invocation; q < POSITIONS; q += 64u) {
    let h = q / WIDTH;
    let w = q % WIDTH;
    let window_row = h / WINDOW_HEIGHT;
    let window_column = w / WINDOW_WIDTH;
    var before_in_frame = 0u;
    var before_in_window = 0u;
    for (var other = 0u; other < q; other++) {
      let seen = is_visible[other];
      before_in_frame += seen;
      let same = other / WIDTH / WINDOW_HEIGHT == window_row && other % WIDTH / WINDOW_WIDTH == window_column;
      before_in_window += select(0u, seen, same);
    }
    let shown = is_visible[q] == 1u;
    for (var t = 0u; t < TIME; t++) {
      let p = t * POSITIONS + q;
      if (shown) {
        ascending[ASCENDING_OFFSET + (b * TIME + t) * visible_per_frame + before_in_frame] = p;
        let region = ((b * (TIME / REGION_TIME) + t / REGION_TIME) * WINDOWS_DOWN + window_row) * WINDOWS_ACROSS
            + window_column;
        let place = t % REGION_TIME * VISIBLE_PER_WINDOW + before_in_window;
        visible[VISIBLE_OFFSET + region * visible_per_region + place] = p;
      } else {
        masked[MASKED_OFFSET + (b * TIME + t) * masked_per_frame + q - before_in_frame] = p;
      }
    }
  }
}
