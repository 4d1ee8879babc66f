import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import functionWgsl from './gelu-function-half.wgsl';
import { geluDerivative, geluReference } from './gelu.reference.js';

const kernel = `
var<storage, read> x: array<f32>;
var<storage, read_write> y: array<f32>;
var<storage, read_write> dy: array<f32>;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3u) {
  if (id.x < COUNT) {
    y[id.x] = gelu(x[id.x]);
    dy[id.x] = gelu_derivative(x[id.x]);
  }
}`;

describe('GELU for results that are stored in f16', () => {
  const runtime = useRuntime();

  async function of(values: Float32Array): Promise<{ y: Float32Array; dy: Float32Array }> {
    return runtime().scope(async () => {
      const x = runtime().upload(values, [values.length]);
      const [y, dy] = [runtime().empty([values.length]), runtime().empty([values.length])];
      runtime().run({
        kernel: 'gelu-half',
        wgsl: [functionWgsl, kernel],
        data: { COUNT: values.length },
        arrays: { x, y, dy },
        workgroups: [Math.ceil(values.length / 64)],
        cost: { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 },
      });
      return { y: await runtime().read(y), dy: await runtime().read(dy) };
    });
  }

  // f16 rounds by 2⁻¹¹ of a value, or by 2⁻²⁵ where that is more.
  const rounding = (value: number) => Math.max(2 ** -11 * Math.abs(value), 2 ** -25);

  it('errs by a hundredth of what storing rounds', async () => {
    const x = Float32Array.from({ length: 4096 }, (_, i) => -12 + (24 * i) / 4095);
    const { y, dy } = await of(x);
    const expected = geluReference(Float64Array.from(x));
    const worst = Math.max(...expected.map((value, i) => Math.abs(y[i]! - value) / rounding(value)));
    expect(worst).toBeLessThan(0.01);
    const slopes = Float64Array.from(x).map(geluDerivative);
    // The derivative passes through zero at −0.75 as a difference of terms of 0.2.
    const ofTerms = slopes.map((value, i) => Math.abs(dy[i]! - value) / (Math.abs(value) + 1e-3));
    expect(Math.max(...ofTerms)).toBeLessThan(2 ** -11);
    expect(Math.max(...slopes.map((value, i) => Math.abs(dy[i]! - value)))).toBeLessThan(5e-7);
  });

  it('leaves what is not finite to be seen', async () => {
    const { y, dy } = await of(Float32Array.of(Infinity, NaN, 0, 1e30, -1e30));
    expect([...y]).toEqual([Infinity, NaN, 0, Math.fround(1e30), -0]);
    expect([...dy].slice(1)).toEqual([NaN, 0.5, 1, 0]);
  });
});
