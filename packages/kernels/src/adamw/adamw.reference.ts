/** AdamW in float64, the plain way; arguments as `AdamwStepOptions`, results new arrays. */
export function adamwReference(
  {
    parameters,
    gradients,
    firstMoment,
    secondMoment,
    groupOfBlock,
    groups,
    step,
  }: Readonly<
    Record<
      'parameters' | 'gradients' | 'firstMoment' | 'secondMoment' | 'groupOfBlock' | 'groups' | 'step',
      Float64Array
    >
  >,
  { beta1, beta2, epsilon }: { readonly beta1: number; readonly beta2: number; readonly epsilon: number },
): { parameters: Float64Array; firstMoment: Float64Array; secondMoment: Float64Array } {
  const [correction1, correction2, scale, skip] = step as unknown as [number, number, number, number];
  const p = parameters.slice();
  const m = firstMoment.slice();
  const v = secondMoment.slice();
  for (let i = 0; skip === 0 && i < p.length; i++) {
    const group = groupOfBlock[Math.floor(i / 256)]!;
    const learningRate = groups[group * 4]!;
    const weightDecay = groups[group * 4 + 1]!;
    const g = gradients[i]! * scale;
    p[i]! *= 1 - learningRate * weightDecay;
    m[i] = beta1 * m[i]! + (1 - beta1) * g;
    v[i] = beta2 * v[i]! + (1 - beta2) * g * g;
    p[i]! -= ((learningRate / correction1) * m[i]!) / (Math.sqrt(v[i]!) / Math.sqrt(correction2) + epsilon);
  }
  return { parameters: p, firstMoment: m, secondMoment: v };
}
