import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import exponentialWgsl from './exponential.wgsl';

const kernel = `
var<storage, read> x: array<f32>;
var<storage, read_write> y: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COUNT) {
    y[id.x] = exponential(x[id.x]);
  }
}`;

describe('exponential', () => {
  const runtime = useRuntime();

  async function exponentials(values: Float32Array): Promise<Float32Array> {
    return runtime().scope(async () => {
      const x = runtime().upload(values, [values.length]);
      const y = runtime().empty([values.length]);
      runtime().run({
        kernel: 'exponential',
        wgsl: [exponentialWgsl, kernel],
        data: { COUNT: values.length },
        arrays: { x, y },
        workgroups: [Math.ceil(values.length / 64)],
        cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
      });
      return runtime().read(y);
    });
  }

  it('is accurate to f32 from −87 to 88', async () => {
    const x = Float32Array.from({ length: 2048 }, (_, i) => -87 + (175 * i) / 2047);
    const y = await exponentials(x);
    const errors = [...y].map((value, i) => Math.abs(value / Math.exp(x[i]!) - 1));
    expect(Math.max(...errors)).toBeLessThan(3e-7);
  });

  it.each([
    [-Infinity, 0],
    [-3.4e38, 0],
    [-88, 0],
    [0, 1],
    [89, Infinity],
    [1000, Infinity],
    [Infinity, Infinity],
    [NaN, NaN],
  ])('of %d is %d', async (x, expected) => {
    expect([...(await exponentials(Float32Array.of(x)))]).toEqual([expected]);
  });
});
