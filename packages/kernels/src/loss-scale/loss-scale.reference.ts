/** What decides about a dynamic loss scale besides the gradients. */
export interface LossScaleRules {
  readonly beta1: number;
  readonly beta2: number;
  readonly growthInterval: number;
  /** 0 for no limit. */
  readonly maxNorm: number;
  readonly isConstant: boolean;
}

/** One decision in float64; layouts as in `loss-scale.wgsl`, results new arrays. */
export function lossScaleReference(
  state: ArrayLike<number>,
  norms: ArrayLike<number>,
  { beta1, beta2, growthInterval, maxNorm, isConstant }: LossScaleRules,
): { state: Float64Array; step: Float64Array } {
  const [scale, good, taken, skipped] = Array.from(state) as [number, number, number, number];
  const overflow = norms[1]! > 0 || !Number.isFinite(norms[0]!);
  const norm = norms[0]! / scale;
  const isGrowing = !overflow && good + 1 >= growthInterval;
  const steps = overflow ? taken : taken + 1;
  const change = isConstant ? 1 : 2;
  const larger = isGrowing ? Math.min(change * scale, 2 ** 127) : scale;
  const next = overflow ? Math.max(scale / change, 2 ** -126) : larger;
  const correction = (beta: number) => -Math.expm1(steps * Math.log(beta));
  const clipping = maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1;
  return {
    state: Float64Array.of(
      next,
      overflow || isGrowing ? 0 : good + 1,
      steps,
      overflow ? skipped + 1 : skipped,
      norm,
      Number(overflow),
    ),
    step: Float64Array.of(correction(beta1), correction(beta2), clipping / scale, Number(overflow)),
  };
}

/** factor · scale, or the loss where it is not finite. */
export function lossScaleCotangentReference(
  loss: ArrayLike<number>,
  state: ArrayLike<number>,
  factor: number,
): Float64Array {
  return Float64Array.of(Number.isFinite(loss[0]!) ? factor * state[0]! : loss[0]!);
}
