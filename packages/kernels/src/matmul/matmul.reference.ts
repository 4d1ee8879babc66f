import { geluDerivative, normalCdf } from '../gelu/gelu.reference.js';

export interface MatmulReferenceExtents {
  readonly groups: number;
  readonly m: number;
  readonly n: number;
  readonly k: number;
  readonly transposeA: boolean;
  readonly transposeB: boolean;
}

/** Packed [groups, M, N] = op(A)·op(B) in float64, for packed A and B. */
export function productReference(
  extents: MatmulReferenceExtents,
  a: Float64Array,
  b: Float64Array,
): Float64Array {
  const { groups, m, n, k } = extents;
  const { aAt, bAt } = indexing(extents);
  const product = new Float64Array(groups * m * n);
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < m; i++) {
      const row = product.subarray((g * m + i) * n, (g * m + i + 1) * n);
      for (let l = 0; l < k; l++) {
        const value = a[aAt(g, i, l)]!;
        for (let j = 0; j < n; j++) row[j]! += value * b[bAt(g, l, j)]!;
      }
    }
  }
  return product;
}

/** Gradients of A and B for the cotangent of their product: dA = dC·Bᵀ and dB = Aᵀ·dC, laid out like A and B. */
export function productBackwardReference(
  extents: MatmulReferenceExtents,
  a: Float64Array,
  b: Float64Array,
  dProduct: Float64Array,
): { a: Float64Array; b: Float64Array } {
  const { groups, m, n, k } = extents;
  const { aAt, bAt } = indexing(extents);
  const gradients = { a: new Float64Array(a.length), b: new Float64Array(b.length) };
  for (let g = 0; g < groups; g++) {
    for (let i = 0; i < m; i++) {
      for (let l = 0; l < k; l++) {
        for (let j = 0; j < n; j++) {
          const cotangent = dProduct[(g * m + i) * n + j]!;
          gradients.a[aAt(g, i, l)]! += cotangent * b[bAt(g, l, j)]!;
          gradients.b[bAt(g, l, j)]! += cotangent * a[aAt(g, i, l)]!;
        }
      }
    }
  }
  return gradients;
}

function indexing({ m, n, k, transposeA, transposeB }: MatmulReferenceExtents) {
  return {
    aAt: (g: number, i: number, l: number) => g * m * k + (transposeA ? l * m + i : i * k + l),
    bAt: (g: number, l: number, j: number) => g * k * n + (transposeB ? j * k + l : l * n + j),
  };
}

/** What surrounds the product; arrays are packed [rows, N] unless said otherwise. */
export interface EpilogueReference {
  readonly alpha: number;
  readonly gelu: boolean;
  /** [N] */
  readonly bias?: Float64Array | undefined;
  readonly geluInput?: Float64Array | undefined;
  readonly rowScale?: Float64Array | undefined;
  readonly rowsPerScale: number;
  readonly residual?: Float64Array | undefined;
  /** What the output held, when the result is added to it. */
  readonly initial?: Float64Array | undefined;
}

/** The epilogue in float64: the output and the value before the activation. */
export function epilogueReference(
  product: Float64Array,
  n: number,
  epilogue: EpilogueReference,
): { out: Float64Array; preActivation: Float64Array } {
  const { alpha, bias, geluInput, residual, initial } = epilogue;
  const preActivation = product.map((value, i) => alpha * value + (bias?.[i % n] ?? 0));
  const out = preActivation.map((value, i) => {
    const activated = epilogue.gelu ? value * normalCdf(value) : value;
    const gated = geluInput ? activated * geluDerivative(geluInput[i]!) : activated;
    return gated * factor(epilogue, i, n) + (residual?.[i] ?? 0) + (initial?.[i] ?? 0);
  });
  return { out, preActivation };
}

/**
 * Gradients through the epilogue, for the cotangents of the output and of the kept value before the activation.
 * GELU″(u) = φ(u) · (2 − u²) belongs to `geluInput`.
 */
export function epilogueBackwardReference(
  product: Float64Array,
  n: number,
  epilogue: EpilogueReference,
  dOut: Float64Array,
  dPreActivation: Float64Array | undefined,
): Record<'product' | 'bias' | 'geluInput' | 'rowScale', Float64Array> {
  const { preActivation } = epilogueReference(product, n, epilogue);
  const { geluInput } = epilogue;
  const gradients = {
    product: new Float64Array(product.length),
    bias: new Float64Array(n),
    geluInput: new Float64Array(product.length),
    rowScale: new Float64Array(epilogue.rowScale?.length ?? 0),
  };
  for (let i = 0; i < product.length; i++) {
    const value = preActivation[i]!;
    const activated = epilogue.gelu ? value * normalCdf(value) : value;
    const gate = geluInput ? geluDerivative(geluInput[i]!) : 1;
    const dScaled = dOut[i]!;
    if (epilogue.rowScale) {
      gradients.rowScale[Math.floor(Math.floor(i / n) / epilogue.rowsPerScale)]! +=
        dScaled * activated * gate;
    }
    const dGated = dScaled * factor(epilogue, i, n);
    if (geluInput) gradients.geluInput[i] = dGated * activated * geluSecondDerivative(geluInput[i]!);
    const dActivated = dGated * gate;
    const dValue = dActivated * (epilogue.gelu ? geluDerivative(value) : 1) + (dPreActivation?.[i] ?? 0);
    gradients.bias[i % n]! += dValue;
    gradients.product[i] = epilogue.alpha * dValue;
  }
  return gradients;
}

function factor({ rowScale, rowsPerScale }: EpilogueReference, index: number, n: number): number {
  return rowScale ? rowScale[Math.floor(Math.floor(index / n) / rowsPerScale)]! : 1;
}

function geluSecondDerivative(u: number): number {
  return ((2 - u * u) * Math.exp(-0.5 * u * u)) / Math.sqrt(2 * Math.PI);
}
