import {
  broadcastShape,
  copyOf,
  type GpuArray,
  matmul as matmulKernel,
  ShapeError,
  stridedMap,
} from '@tubelet/kernels';
import type { GradientFlow, Tensor } from '../engine/tensor.js';
import { intoContiguousGradient, withContiguous } from './contiguous.js';
import { requireF32, sumInto, withLeadingAxes } from './pointwise.js';
import { reshape } from './views.js';

/**
 * The matrix products of the last two axes: a [..., M, K] · b [..., K, N] → [..., M, N], where leading axes broadcast.
 * One axis alone is a row in a and a column in b, and is left out of the result.
 *
 * @throws ShapeError naming both shapes
 */
export function matmul(a: Tensor, b: Tensor): Tensor {
  requireF32('matmul', a, b);
  const [rowA, columnB] = [a.shape.length === 1, b.shape.length === 1];
  if (rowA || columnB) {
    if (a.shape.length === 0 || b.shape.length === 0) throw mismatch(a, b);
    const left = rowA ? reshape(a, [1, ...a.shape]) : a;
    const product = matmul(left, columnB ? reshape(b, [...b.shape, 1]) : b);
    const leading = product.shape.slice(0, -2);
    return reshape(product, [
      ...leading,
      ...(rowA ? [] : [a.extent(-2)]),
      ...(columnB ? [] : [b.extent(-1)]),
    ]);
  }
  const [m, k, n] = [a.shape.at(-2), a.shape.at(-1), b.shape.at(-1)];
  if (m === undefined || k === undefined || n === undefined || b.shape.at(-2) !== k) throw mismatch(a, b);
  const { engine } = a;
  const { runtime } = engine;
  const batches = [a, b].map(({ shape }) => shape.slice(0, -2));
  let batch: number[];
  try {
    batch = broadcastShape('matmul', batches);
  } catch {
    throw mismatch(a, b);
  }
  const plan: Plan = { batch, m, k, n, isShared: product(batches[1]!) === 1 };
  const out = engine.empty([...batch, m, n], 'f32', 'matmul');
  withMatrices(plan, 'a', a, (left) =>
    withMatrices(plan, 'b', b, (right) =>
      matmulKernel(runtime, { a: left, b: right, out: out.reshape(matricesShape(plan, m, n)) }),
    ),
  );
  const y = engine.output(out, [a, b], 'matmul');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'matmul',
    inputs: [a, b],
    outputs: [y],
    saved: [],
    backward: (gradients) =>
      withContiguous(y, gradients.of(y), (dy) => {
        const dOut = dy.reshape(matricesShape(plan, m, n));
        if (a.requiresGrad) {
          withMatrices(plan, 'b', b, (right) =>
            intoGradient(gradients, plan, 'a', a, (target, accumulate) =>
              matmulKernel(runtime, { a: dOut, b: right, transposeB: true, out: target, accumulate }),
            ),
          );
        }
        if (b.requiresGrad) {
          withMatrices(plan, 'a', a, (left) =>
            intoGradient(gradients, plan, 'b', b, (target, accumulate) =>
              matmulKernel(runtime, { a: left, transposeA: true, b: dOut, out: target, accumulate }),
            ),
          );
        }
      }),
  });
  return y;
}

interface Plan {
  readonly batch: readonly number[];
  readonly m: number;
  readonly k: number;
  readonly n: number;
  /** One b for all matrices of a, whose rows then follow one another. */
  readonly isShared: boolean;
}

function matricesShape({ batch, isShared }: Plan, rows: number, columns: number): number[] {
  return isShared ? [product(batch) * rows, columns] : [product(batch), rows, columns];
}

/** Runs `body` on the matrices of an operand as the kernel takes them: repeated for the whole batch, by stride or a copy. */
function withMatrices(
  plan: Plan,
  which: 'a' | 'b',
  tensor: Tensor,
  body: (matrices: GpuArray) => void,
): void {
  const { runtime } = tensor.engine;
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  const own = product(tensor.shape.slice(0, -2));
  const count = product(plan.batch);
  withContiguous(tensor, tensor.array, (array) => {
    if (plan.isShared && which === 'b') return body(array.reshape([rows, columns]));
    if (own === count) return body(array.reshape(matricesShape(plan, rows, columns)));
    if (own === 1) return body(array.reshape([rows, columns]).broadcastLeading(count));
    const repeated = runtime.empty([...plan.batch, rows, columns], 'f32', 'matmul operand');
    stridedMap(runtime, { ...copyOf(array), out: repeated });
    body(repeated.reshape(matricesShape(plan, rows, columns)));
    runtime.release(repeated);
  });
}

/** Has `write` fill the gradient of an operand, as matrices, or that of the repeated operand, which is then summed. */
function intoGradient(
  gradients: GradientFlow,
  plan: Plan,
  which: 'a' | 'b',
  tensor: Tensor,
  write: (target: GpuArray, accumulate: boolean) => void,
): void {
  const { runtime } = tensor.engine;
  const [rows, columns] = tensor.shape.slice(-2) as [number, number];
  const isShared = plan.isShared && which === 'b';
  if (isShared || product(tensor.shape.slice(0, -2)) === product(plan.batch)) {
    const shape = isShared ? [rows, columns] : matricesShape(plan, rows, columns);
    return intoContiguousGradient(gradients, tensor, (array, accumulate) =>
      write(array.reshape(shape), accumulate),
    );
  }
  const whole = runtime.empty([...plan.batch, rows, columns], 'f32', `gradient of ${tensor.name}`);
  write(whole.reshape(matricesShape(plan, rows, columns)), false);
  const { array, accumulate } = gradients.target(tensor);
  sumInto(tensor, whole, withLeadingAxes(array, whole.shape.length), accumulate);
  runtime.release(whole);
}

function product(extents: readonly number[]): number {
  return extents.reduce((a, b) => a * b, 1);
}

function mismatch(a: Tensor, b: Tensor): ShapeError {
  return new ShapeError(
    `matmul: [${a.shape.join(', ')}] and [${b.shape.join(', ')}] do not multiply: the last axis of the first must be as` +
      ' long as the last but one of the second, and leading axes must broadcast',
  );
}
