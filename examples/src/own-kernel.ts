/** A kernel and an operation of one's own: snake(x) = x + sin²(αx) / α (Ziyin et al., 2020), dx = dy · (1 + sin 2αx). */
import { gradcheck, type Tensor } from '@tubelet/autograd';
import { open } from '@tubelet/autograd/node';
import { f32, type GpuArray, type Runtime } from '@tubelet/kernels';

const WGSL = `
var<storage, read> x: array<f32>;
#if dy
var<storage, read> dy: array<f32>;
#end
var<storage, read_write> out: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x >= SIZE) {
    return;
  }
  let value = x[X_OFFSET + id.x];
#if dy
  let result = dy[DY_OFFSET + id.x] * (1.0 + sin(2.0 * ALPHA * value));
#else
  let sine = sin(ALPHA * value);
  let result = value + sine * sine / ALPHA;
#end
  if (ADD_TO_OUT != 0u) {
    out[OUT_OFFSET + id.x] += result;
  } else {
    out[OUT_OFFSET + id.x] = result;
  }
}`;

interface SnakeArrays {
  readonly x: GpuArray;
  /** Where there is one, its gradient is what is computed. */
  readonly dy?: GpuArray;
  readonly out: GpuArray;
}

/** Runs the kernel on contiguous arrays of one size. */
function snakeKernel(
  runtime: Runtime,
  { x, dy, out }: SnakeArrays,
  alpha: number,
  accumulate: boolean,
): void {
  const bytes = 4 * x.size;
  runtime.run({
    kernel: dy ? 'snake-backward' : 'snake',
    wgsl: [WGSL],
    data: {
      ...{ SIZE: x.size, X_OFFSET: x.offset, DY_OFFSET: dy?.offset ?? 0, OUT_OFFSET: out.offset },
      ...{ ALPHA: f32(alpha), ADD_TO_OUT: Number(accumulate) },
    },
    arrays: { x, dy, out },
    workgroups: [Math.ceil(x.size / 64)],
    cost: { macs: 0, flops: 0, bytesRead: bytes * (1 + Number(dy !== undefined)), bytesWritten: bytes },
  });
}

/** The operation: x of any shape, contiguous. */
function snake(x: Tensor, alpha: number): Tensor {
  const { engine } = x;
  if (!x.array.isContiguous) throw new RangeError(`snake: x must be contiguous, got ${x}`);
  const out = engine.empty(x.shape, 'f32', 'snake');
  snakeKernel(engine.runtime, { x: x.array, out }, alpha, false);
  const y = engine.output(out, [x], 'snake');
  if (!y.requiresGrad) return y;
  engine.record({
    name: 'snake',
    inputs: [x],
    outputs: [y],
    saved: [],
    backward: (gradients) => {
      const { array, accumulate } = gradients.target(x);
      snakeKernel(engine.runtime, { x: x.array, dy: gradients.of(y), out: array }, alpha, accumulate);
    },
  });
  return y;
}

const gpu = await open();
const points = Float64Array.from({ length: 100 }, (_, i) => i / 10 - 5);
const { value, gradients } = await gradcheck(gpu, {
  forward: (x) => snake(x, 0.5),
  reference: (x) => x.map((one) => one + Math.sin(0.5 * one) ** 2 / 0.5),
  inputs: [{ shape: [10, 10], data: points }],
  cotangent: points.map((_, i) => Math.cos(i)),
});
console.log(`relative errors: values ${value}, gradient ${gradients[0]}`);
