// Mean and deviation of one cube of a normalised f32 video by one workgroup of 64, and the addressing of its
// pixels; a library piece. cube-address.wgsl precedes it.
//
// Header: FRAMES, HEIGHT, WIDTH, TUBELET, PATCH, VIDEO_OFFSET, STD_c, MEAN_c.
//
// Pixels are u = video · STD_c + MEAN_c. Sums are taken of u − pivot, the pivot being the cube's first pixel, in
// two passes: a constant cube then has exactly σ = 0 and exact zeros, not the rounding noise of its mean.

var<storage, read> video: array<f32>;

const PIXELS = TUBELET * PATCH * PATCH;

struct CubeStatistics {
  pivot: vec3f,     // the first pixel
  mean: vec3f,      // mean of u − pivot
  deviation: vec3f, // √(unbiased variance) + 1e-6
}

var<workgroup> partial: array<vec3f, 64>;

fn pixel(clip: u32, origin: vec3u, frame: u32, row: u32, column: u32, channel: u32) -> f32 {
  let plane = (clip * 3u + channel) * FRAMES + origin.x + frame;
  let value = video[VIDEO_OFFSET + (plane * HEIGHT + origin.y + row) * WIDTH + origin.z + column];
  if (channel == 0u) {
    return value * STD_0 + MEAN_0;
  }
  if (channel == 1u) {
    return value * STD_1 + MEAN_1;
  }
  return value * STD_2 + MEAN_2;
}

fn pixel_rgb(clip: u32, origin: vec3u, index: u32) -> vec3f {
  let frame = index / (PATCH * PATCH);
  let row = index / PATCH % PATCH;
  let column = index % PATCH;
  return vec3f(pixel(clip, origin, frame, row, column, 0u), pixel(clip, origin, frame, row, column, 1u),
               pixel(clip, origin, frame, row, column, 2u));
}

// The sum of one vec3 of each of the 64 invocations, which must call this together.
fn workgroup_sum(value: vec3f, invocation: u32) -> vec3f {
  workgroupBarrier(); // an earlier sum may still be read
  partial[invocation] = value;
  for (var half = 32u; half > 0u; half = half / 2u) {
    workgroupBarrier();
    if (invocation < half) {
      partial[invocation] += partial[invocation + half];
    }
  }
  workgroupBarrier();
  return partial[0];
}

fn cube_statistics(clip: u32, origin: vec3u, invocation: u32) -> CubeStatistics {
  let pivot = pixel_rgb(clip, origin, 0u);
  var sum = vec3f(0.0);
  for (var i = invocation; i < PIXELS; i += 64u) {
    sum += pixel_rgb(clip, origin, i) - pivot;
  }
  let mean = workgroup_sum(sum, invocation) / f32(PIXELS);
  var squares = vec3f(0.0);
  for (var i = invocation; i < PIXELS; i += 64u) {
    let centred = pixel_rgb(clip, origin, i) - pivot - mean;
    squares += centred * centred;
  }
  let variance = workgroup_sum(squares, invocation) / f32(PIXELS - 1u);
  return CubeStatistics(pivot, mean, sqrt(variance) + 1e-6);
}
