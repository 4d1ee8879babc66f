// One decision of a dynamic loss scale, once the norm of all gradients is known: whether the step is taken, the scale of
// the next one, and what AdamW and an average of weights need to know of this one.
// Source: Micikevicius et al., "Mixed Precision Training", ICLR 2018, with the rules of torch.amp.GradScaler:
//
//   overflow (a gradient, or the sum of their squares, is not finite):  S ← S · BACKOFF, good ← 0, skipped ← skipped + 1
//   else: taken ← taken + 1, good ← good + 1; at GROWTH_INTERVAL good ones in a row  S ← S · GROWTH, good ← 0
//
//   factor of gradients = min(1, MAX_NORM / (‖g‖ + 1e-6)) / S, with ‖g‖ = norm / S (no limit where MAX_NORM is 0)
//
// Header: ONE_MINUS_BETA1, ONE_MINUS_BETA2, GROWTH_INTERVAL, MAX_NORM, *_OFFSET (elements); BACKOFF and GROWTH are 1/2
// and 2, or both 1 for a scale that stays as it is.
// Layout, all f32: state = (S, good, taken, skipped, ‖g‖, 1 where the step is skipped); norms = (norm of the scaled
// gradients over their finite values, number of the others); step = (1 − β₁ᵗ, 1 − β₂ᵗ, factor, skip) with t = taken,
// as adamw.wgsl reads it. Counts are exact up to 2²⁴ steps. S stays between 2⁻¹²⁶ and 2¹²⁷, where 1 / S is a number.
//
// Corrections follow the steps that were taken, and no more than their number is kept: they are made from it anew each
// time. Their complements 1 − βⁿ, which are what is wanted, compose without cancellation,
//   1 − βᵃ⁺ᵇ = (1 − βᵃ) + (1 − βᵇ) βᵃ,
// so that the binary digits of t give them to a few units in the last place. A product βᵗ kept from step to step would
// take on the rounding of each, and of β itself, t times over: 3e-5 after a thousand steps at β = 0.999.
// NaN and infinity are found by their bits, since a compiler may assume there are none.

var<storage, read_write> state: array<f32>;
var<storage, read> norms: array<f32>;
var<storage, read_write> step: array<f32>;

const SMALLEST_SCALE: f32 = 0x1p-126f;
const LARGEST_SCALE: f32 = 0x1p+127f;

/// 1 − (1 − one_minus_beta)^steps
fn correction(one_minus_beta: f32, steps: u32) -> f32 {
  var total = 0.0;
  // Of the steps that one digit stands for: 1, 2, 4, …
  var part = one_minus_beta;
  for (var left = steps; left > 0u; left = left >> 1u) {
    if ((left & 1u) == 1u) {
      total = total + part * (1.0 - total);
    }
    part = part * (2.0 - part);
  }
  return total;
}

@compute @workgroup_size(1)
fn main() {
  let scale = state[STATE_OFFSET];
  let scaled_norm = norms[NORMS_OFFSET];
  let norm = scaled_norm / scale;
  let overflow = norms[NORMS_OFFSET + 1u] > 0.0 || (bitcast<u32>(scaled_norm) & 0x7f800000u) == 0x7f800000u;
  var next = scale;
  var good = state[STATE_OFFSET + 1u];
  var taken = state[STATE_OFFSET + 2u];
  if (overflow) {
    next = max(BACKOFF * scale, SMALLEST_SCALE);
    good = 0.0;
    state[STATE_OFFSET + 3u] += 1.0;
  } else {
    taken += 1.0;
    good += 1.0;
    if (good >= GROWTH_INTERVAL) {
      good = 0.0;
      if (scale < LARGEST_SCALE) {
        next = GROWTH * scale;
      }
    }
  }
  state[STATE_OFFSET] = next;
  state[STATE_OFFSET + 1u] = good;
  state[STATE_OFFSET + 2u] = taken;
  state[STATE_OFFSET + 4u] = norm;
  state[STATE_OFFSET + 5u] = select(0.0, 1.0, overflow);

  var clipping = 1.0;
  if (MAX_NORM > 0.0) {
    clipping = min(1.0, MAX_NORM / (norm + 1e-6));
  }
  step[STEP_OFFSET] = correction(ONE_MINUS_BETA1, u32(taken));
  step[STEP_OFFSET + 1u] = correction(ONE_MINUS_BETA2, u32(taken));
  step[STEP_OFFSET + 2u] = clipping / scale;
  step[STEP_OFFSET + 3u] = select(0.0, 1.0, overflow);
}
