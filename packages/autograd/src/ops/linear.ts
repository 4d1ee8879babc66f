import { columnSum, geluBackward, matmul, rowScale, type GpuArray, type RowSums } from '@tubelet/kernels';
import { Parameter } from '../parameters.js';
import type { GradientFlow, Tensor } from '../tensor.js';

/** Random scaling of whole samples in a residual branch (stochastic depth). */
export interface RowScaling {
  /** One factor a group of rows: 0 or 1/(1 − rate), shape [groups]. */
  readonly scale: GpuArray;
  readonly rowsPerScale: number;
}

/** What a linear layer does besides its product. */
export interface LinearOptions {
  /** [N]; or a pack [N] of biases, whose gaps stay zero. */
  readonly bias?: Tensor;
  /** Applied to the result; excludes `residual`. */
  readonly activation?: 'gelu';
  /** Added to the result, same shape. */
  readonly residual?: Tensor;
  /** Multiplies the rows before the residual is added. */
  readonly rowScaling?: RowScaling;
  /** Where to write the result instead of a new array: e.g. some rows of a larger buffer. */
  readonly into?: GpuArray;
}

/**
 * y = x·Wᵀ + b, optionally GELU(…) or residual + scale·(…). x [..., K], weight [N, K] → [..., N], of the dtype of x,
 * but f32 with a residual.
 *
 * Backward: dx = dy·W, dW = dyᵀ·x, db = Σ_rows dy.
 *
 * @throws ShapeError when shapes do not fit
 */
export function linear(x: Tensor, weight: Tensor, options: LinearOptions = {}): Tensor {
  const { bias, activation, residual, rowScaling } = options;
  if (activation && (residual || rowScaling)) {
    throw new RangeError('linear() applies an activation or adds a residual, not both');
  }
  const { engine } = x;
  const { runtime } = engine;
  const inputs = [x, weight, bias, residual].filter((tensor) => tensor !== undefined);
  const shape = [...x.shape.slice(0, -1), weight.shape[0]!];
  const out = options.into ?? engine.empty(shape, residual ? 'f32' : x.dtype, 'linear');
  const preActivation =
    activation && engine.needsGrad(inputs) ? engine.empty(out.shape, out.dtype, 'pre-GELU') : undefined;
  matmul(runtime, {
    a: x.array,
    b: weightOperand(weight, x),
    transposeB: true,
    out,
    bias: bias?.array,
    activation,
    preActivation,
    residual: residual?.array,
    rowScale: rowScaling?.scale,
    rowsPerScale: rowScaling?.rowsPerScale,
  });
  const y = engine.output(out, inputs, 'linear');
  if (y.requiresGrad) {
    engine.record({
      name: 'linear',
      inputs,
      outputs: [y],
      saved: preActivation ? [preActivation] : [],
      backward: (gradients) => {
        let dy = gradients.of(y);
        let scratch: GpuArray | undefined;
        if (preActivation) {
          scratch = runtime.empty(y.shape, x.dtype, 'linear backward');
          geluBackward(runtime, preActivation, dy, scratch);
        } else if (rowScaling) {
          scratch = runtime.empty(y.shape, x.dtype, 'linear backward');
          rowScale(runtime, { x: dy, ...rowScaling, out: scratch });
        }
        if (scratch) dy = scratch;
        linearBackward(gradients, { x, weight, bias, dy });
        if (scratch) runtime.release(scratch);
        // Last, because whoever receives the buffer adds to it in place.
        if (residual) gradients.donate(residual, gradients.of(y));
      },
    });
  }
  return y;
}

/** What products of `x` read of a weight: its values in f16 where those of `x` are, if it has any. */
export function weightOperand(weight: Tensor, x: Tensor): GpuArray {
  return weight instanceof Parameter && x.dtype === 'f16' ? weight.half() : weight.array;
}

/** The three products of a linear layer's backward pass: into weight, bias and x, where they need gradients. */
export function linearBackward(
  gradients: GradientFlow,
  { x, weight, bias, dy }: { x: Tensor; weight: Tensor; bias?: Tensor; dy: GpuArray },
): void {
  weightBackward(gradients, { x: x.array, weight, bias, dy });
  if (x.requiresGrad) {
    const { array, accumulate } = gradients.target(x);
    matmul(x.engine.runtime, { a: dy, b: weightOperand(weight, x), out: array, accumulate });
  }
}

/** dW = dyᵀ·x and db = Σ_rows dy, in one pass over dy where both are wanted. */
export function weightBackward(
  gradients: GradientFlow,
  { x, weight, bias, dy }: { x: GpuArray; weight: Tensor; bias?: Tensor; dy: GpuArray },
): void {
  const { runtime } = weight.engine;
  const wantsBias = bias?.requiresGrad === true;
  const rowSums = wantsBias && weight.requiresGrad ? biasTarget(gradients, bias) : undefined;
  if (weight.requiresGrad) {
    const { array, accumulate } = gradients.target(weight);
    matmul(runtime, { a: dy, transposeA: true, b: x, out: array, accumulate, rowSums });
  }
  if (wantsBias && !rowSums) biasBackward(gradients, bias, dy);
}

/** Whether one sum serves a pack: it has no gaps, and its parts all have a gradient to be added to, or none has. */
function isWhole(pack: Parameter): boolean {
  return pack.gaps().length === 0 && pack.parts.every((part) => part.hasGradient === pack.hasGradient);
}

/** Where the whole gradient of a bias goes; the parts of a pack that is not whole get theirs later, its gaps none. */
function biasTarget(gradients: GradientFlow, bias: Tensor): RowSums {
  if (!(bias instanceof Parameter) || isWhole(bias)) {
    const { array, accumulate } = gradients.target(bias);
    return { out: array, accumulate };
  }
  const pieces = bias.parts.map((part) => {
    const { array, accumulate } = gradients.target(part);
    return { target: array, column: part.array.offset - bias.array.offset, accumulate };
  });
  return { out: gradients.partialSums.addRow(bias.array.size, pieces) };
}

/** db = Σ_rows dy; in a pack only for the columns of its parts, so that gaps keep a gradient of zero. */
function biasBackward(gradients: GradientFlow, bias: Tensor, dy: GpuArray): void {
  const { runtime } = bias.engine;
  const members = bias instanceof Parameter && bias.parts.length > 0 ? bias.parts : [bias];
  for (const member of members) {
    const start = member.array.offset - bias.array.offset;
    const columns = dy.slice(-1, start, start + member.array.size);
    const { array, accumulate } = gradients.target(member);
    columnSum(runtime, { x: columns, out: array, accumulate });
  }
}
