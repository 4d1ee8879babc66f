/** decay · average + (1 − decay) · values in float64; a new array. */
export function emaReference(average: Float64Array, values: Float64Array, decay: number): Float64Array {
  return average.map((value, i) => decay * value + (1 - decay) * values[i]!);
}
