import { describe, expect, it } from 'vitest';
import { gelu } from '../gelu/gelu.js';
import { layerNorm } from '../layer-norm/layer-norm.js';
import { matmul } from '../matmul/matmul.js';
import { rowAdd } from '../row-add/row-add.js';
import { testRandom } from '../testing/random.js';
import { useRuntime } from '../testing/test-runtime.js';
import { halfBits, halfValues } from './half.js';
import { paperRuntime } from './paper-device.js';

const normals = (count: number, seed: number) => {
  const random = testRandom(seed);
  return Float32Array.from({ length: count }, () => random.normal());
};

/** In steps from one f16 to the next, across zero. */
function ulpsApart(a: Uint16Array, b: Uint16Array): number {
  const place = (bits: number) => (bits & 0x8000 ? -(bits & 0x7fff) : bits);
  return Math.max(...a.map((bits, i) => Math.abs(place(bits) - place(b[i]!))));
}

describe('f16 on the host', () => {
  it.each([
    [0, 0],
    [-0, 0x8000],
    [1, 0x3c00],
    [-2, 0xc000],
    [65504, 0x7bff],
    [65519.9, 0x7bff],
    [65520, 0x7c00],
    [-70000, 0xfc00],
    [2 ** -14, 0x0400],
    [2 ** -24, 0x0001],
    [2 ** -25, 0x0000],
    [1.5 * 2 ** -24, 0x0002],
    [1 + 2 ** -11, 0x3c00],
    [1 + 3 * 2 ** -11, 0x3c02],
    [2 - 2 ** -12, 0x4000],
  ])('rounds %d to nearest, ties to even', (value, bits) => expect([...halfBits([value])]).toEqual([bits]));

  it('gives every number back', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, i) => i);
    const values = halfValues(all);
    const again = halfBits(values);
    const lost = all.filter((bits, i) => !Number.isNaN(values[i]) && again[i] !== bits);
    expect(lost).toHaveLength(0);
    expect(halfValues(halfBits([NaN]))[0]).toBe(NaN);
    expect(values.filter(Number.isNaN)).toHaveLength(2 * 1023);
  });
});

describe('arrays of f16', () => {
  const runtime = useRuntime({ matrixUnits: true });

  /** A test of what a device with f16 does. */
  const withHalves = (name: string, body: () => Promise<void>) =>
    it(name, async ({ skip }) => {
      skip(!runtime().hasFeature('shader-f16'), 'this device has no f16');
      await runtime().scope(body);
    });

  withHalves('hold what f32 rounds to: infinities beyond 65504, NaN, subnormals', async () => {
    const values = [70000, -70000, NaN, Infinity, 65504, 2 ** -24, -3 * 2 ** -20, 0.1, 1 + 2 ** -11, 0, -1];
    const given = runtime().upload(Float32Array.from(values), [values.length]);
    const half = runtime().empty([values.length], 'f16');
    rowAdd(runtime(), { a: given, out: half });
    const expected = halfValues(halfBits(values));
    expect([...(await runtime().read(half))]).toEqual([...expected]);
    const back = runtime().empty([values.length]);
    rowAdd(runtime(), { a: half, out: back });
    expect([...(await runtime().read(back))]).toEqual([...expected]);
  });

  withHalves('get the rounded results of f32, within one step', async () => {
    const [m, n, k] = [20, 36, 24];
    const a = runtime().upload(halfBits(normals(m * k, 1)), [m, k]);
    const b = runtime().upload(normals(n * k, 2), [n, k]);
    const product = (dtype: 'f32' | 'f16') => {
      const out = runtime().empty([m, n], dtype);
      matmul(runtime(), { a, b, transposeB: true, out });
      return out;
    };
    const x = runtime().upload(normals(m * n, 3), [m, n]);
    const [weight, bias] = [runtime().upload(normals(n, 4), [n]), runtime().upload(normals(n, 5), [n])];
    const norm = (dtype: 'f32' | 'f16') => {
      const out = runtime().empty([m, n], dtype);
      const [mean, rstd] = [runtime().empty([m]), runtime().empty([m])];
      layerNorm(runtime(), { x, weight, bias, out, mean, rstd });
      return out;
    };
    const activated = (dtype: 'f32' | 'f16') => {
      const out = runtime().empty([m, n], dtype);
      gelu(runtime(), x, out);
      return out;
    };
    for (const run of [product, norm, activated]) {
      const [half, full] = [await runtime().read(run('f16')), await runtime().read(run('f32'))];
      expect(ulpsApart(halfBits(half), halfBits(full)), run.name).toBeLessThanOrEqual(1);
    }
  });

  withHalves('keep NaN of padding and of neighbouring rows to themselves', async () => {
    // Rows of 8 in rows of 24.
    const padded = (rows: number) => {
      const values = new Float32Array(rows * 24).fill(NaN);
      for (let r = 0; r < rows; r++) values.fill(1, 24 * r + 4, 24 * r + 12);
      return runtime().upload(halfBits(values), [rows, 24]).slice(1, 4, 12);
    };
    const out = runtime().upload(new Uint16Array(3 * 16).fill(0x7e00), [3, 16]);
    const written = out.slice(1, 8, 13);
    matmul(runtime(), { a: padded(3), b: padded(5), transposeB: true, out: written });
    const values = await runtime().read(out);
    values.forEach((value, i) => {
      const isWritten = i % 16 >= 8 && i % 8 < 5;
      expect(value, `element ${i}`).toBe(isWritten ? 8 : NaN);
    });
  });

  it('are refused by name where the adapter has none, and by kernels that take none', () => {
    const paper = paperRuntime();
    const [x, y] = [paper.empty([4], 'f16'), paper.empty([4])];
    expect(() => rowAdd(paper, { a: x, out: y })).toThrow(
      /row-add: a is f16\[4\], but this adapter has no f16/,
    );
    const capable = paperRuntime({ adapter: { features: ['shader-f16'] } });
    const bias = capable.empty([4], 'f16');
    const [a, b] = [capable.empty([2, 4]), capable.empty([4, 4])];
    expect(() => matmul(capable, { a, b, out: capable.empty([2, 4]), bias })).toThrow(
      /bias must be a contiguous f32 array/,
    );
    const out = capable.empty([2, 4], 'f16');
    expect(() => matmul(capable, { a, b, out, residual: out })).toThrow(/residual must be f32/);
  });

  it('have programs of their own, whose numbers of bytes are theirs', () => {
    const paper = paperRuntime({ adapter: { features: ['shader-f16'] } });
    const bytes = (dtype: 'f32' | 'f16') => {
      const before = paper.ledger.total();
      rowAdd(paper, { a: paper.empty([8], dtype), out: paper.empty([8]) });
      return paper.ledger.total().bytesRead - before.bytesRead;
    };
    expect([bytes('f32'), bytes('f16'), bytes('f16')]).toEqual([32, 16, 16]);
    expect(paper.counters.pipelinesCreated).toBe(2);
  });
});
