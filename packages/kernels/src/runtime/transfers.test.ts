import { describe, expect, it } from 'vitest';
import { useRuntime } from '../testing/test-runtime.js';
import { double } from './double.testing.js';
import { ShapeError } from './errors.js';
import type { DType } from './gpu-array.js';
import type { HostData } from './transfers.js';
import { f32 } from './wgsl.js';

describe('transfers', () => {
  const runtime = useRuntime();
  const numbers = (length: number) => Float32Array.from({ length }, (_, i) => i + 1);

  it.each<[DType, HostData]>([
    ['f32', Float32Array.of(1.5, -0, Infinity)],
    ['u32', Uint32Array.of(0, 0xffffffff, 7)],
    ['i32', Int32Array.of(-1, 2 ** 31 - 1, -(2 ** 31))],
    ['f16', Uint16Array.of(0x3c00, 0x7bff, 0x8000)],
    ['u8', Uint8Array.of(255, 1, 2, 3, 4)],
    ['u8', Uint8Array.of(9)],
  ])('bring %s back as it went, also when it ends within a word', async (dtype, data) => {
    const array = runtime().upload(data, [data.length]);
    expect(array.dtype).toBe(dtype);
    expect(new Uint8Array(await runtime().readBytes(array))).toEqual(
      new Uint8Array(data.buffer, data.byteOffset, data.byteLength),
    );
    runtime().release(array);
  });

  it('take views on larger and on shared buffers', () =>
    runtime().scope(async () => {
      const part = numbers(8).subarray(3, 6);
      expect(await runtime().read(runtime().upload(part, [3]))).toEqual(Float32Array.of(4, 5, 6));
      const shared = new Uint8Array(new SharedArrayBuffer(10)).subarray(2, 9).fill(6);
      const bytes = await runtime().readBytes(runtime().upload(shared, [7]));
      expect([...new Uint8Array(bytes)]).toEqual([6, 6, 6, 6, 6, 6, 6]);
    }));

  it('write, read, clear and copy contiguous parts and leave the rest', () =>
    runtime().scope(async () => {
      const array = runtime().upload(numbers(8), [4, 2]);
      runtime().write(array.slice(0, 1, 2), Float32Array.of(-3, -4));
      runtime().clear(array.slice(0, 3, 4));
      runtime().copy(runtime().upload(Float32Array.of(50), [1]), array.reshape([8]).slice(0, 4, 5));
      expect([...(await runtime().read(array))]).toEqual([1, 2, -3, -4, 50, 6, 0, 0]);
      expect([...(await runtime().read(array.slice(0, 1, 3)))]).toEqual([-3, -4, 50, 6]);
    }));

  it('read bytes that start and end within words', () =>
    runtime().scope(async () => {
      const bytes = runtime().upload(
        Uint8Array.from({ length: 11 }, (_, i) => i),
        [11],
      );
      for (const [start, end] of [
        [1, 2],
        [3, 9],
        [5, 11],
      ] as const) {
        const read = new Uint8Array(await runtime().readBytes(bytes.slice(0, start, end)));
        expect([...read]).toEqual(Array.from({ length: end - start }, (_, i) => start + i));
      }
    }));

  it('refuse to write parts of words that hold other elements too', () =>
    runtime().scope(async () => {
      const bytes = runtime().upload(new Uint8Array(11).fill(1), [11]);
      const odd = /cannot write to u8\[5\].*4-byte word that it shares/;
      expect(() => runtime().write(bytes.slice(0, 0, 5), new Uint8Array(5))).toThrow(odd);
      expect(() => runtime().write(bytes.slice(0, 2, 6), new Uint8Array(4))).toThrow(ShapeError);
      expect(() => runtime().clear(bytes.slice(0, 0, 5))).toThrow(ShapeError);
      runtime().write(bytes.slice(0, 4, 11), new Uint8Array(7).fill(2));
      runtime().clear(bytes.slice(0, 8, 11));
      const read = new Uint8Array(await runtime().readBytes(bytes));
      expect([...read]).toEqual([1, 1, 1, 1, 2, 2, 2, 2, 0, 0, 0]);
    }));

  it('refuse strided views, other sizes and copies within one buffer, naming the array', () =>
    runtime().scope(async () => {
      const array = runtime().upload(numbers(8), [4, 2]);
      const column = array.slice(1, 0, 1);
      const view = 'strided view f32[4, 1] strides 2×1 offset 0';
      expect(() => runtime().write(column, numbers(4))).toThrow(`cannot write to the ${view}`);
      expect(() => runtime().clear(column)).toThrow(`cannot clear the ${view}`);
      expect(() => runtime().copy(column, runtime().empty([4]))).toThrow(`cannot copy the ${view}`);
      expect(() => runtime().copy(runtime().empty([4]), column)).toThrow(`cannot copy to the ${view}`);
      await expect(runtime().readBytes(column)).rejects.toThrow(`cannot read the ${view}`);
      expect(() => runtime().write(array, numbers(7))).toThrow('28 bytes do not fill f32[4, 2] (32 bytes)');
      expect(() => runtime().copy(array, runtime().empty([7]))).toThrow('32 and 28 bytes');
      expect(() => runtime().copy(array.slice(0, 0, 1), array.slice(0, 1, 2))).toThrow('in one buffer');
      await expect(runtime().read(runtime().empty([4], 'u32'))).rejects.toThrow(
        'read() takes arrays of f32 or f16',
      );
    }));

  it('keep their place among kernels without a submit of their own where none is needed', () =>
    runtime().scope(async () => {
      const x = runtime().upload(numbers(64), [64]);
      const [y, z, other] = [runtime().empty([64]), runtime().empty([64]), runtime().empty([4])];
      await runtime().synchronize();
      const { submits } = runtime().counters;
      double(runtime(), x, y);
      runtime().write(other, numbers(4));
      expect(runtime().counters.submits, 'nothing recorded uses it').toBe(submits);
      runtime().write(x, new Float32Array(64));
      expect(runtime().counters.submits, 'a kernel reads it').toBe(submits + 1);
      double(runtime(), x, z);
      runtime().write(z, numbers(64));
      runtime().clear(x);
      expect(await runtime().read(y)).toEqual(numbers(64).map((value) => 2 * value));
      expect(await runtime().read(z)).toEqual(numbers(64));
      expect(await runtime().read(x)).toEqual(new Float32Array(64));
    }));

  it('start new arrays as NaN in tests, large ones too', () =>
    runtime().scope(async () => {
      for (const size of [1, 65, 700_001]) {
        const values = await runtime().read(runtime().empty([size]));
        expect(
          values.every((value) => Number.isNaN(value)),
          `${size} elements`,
        ).toBe(true);
      }
    }));

  it('bring real numbers to a kernel bit by bit, as constants and as data', () =>
    runtime().scope(async () => {
      const constants = [0.1, -1 / 3, 1e21, 3.4028234663852886e38, 2 ** -126, 1e-30, 16777217].map(
        Math.fround,
      );
      const out = runtime().empty([constants.length]);
      const numbers = Object.fromEntries(constants.map((value, i) => [`C${i}`, f32(value)]));
      const body = constants.map((_, i) => `out[${i}] = C${i};`).join(' ');
      const wgsl = [
        `var<storage, read_write> out: array<f32>;\n@compute @workgroup_size(1) fn main() { ${body} }`,
      ];
      const cost = { macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 };
      const call = { kernel: 'numbers', wgsl, arrays: { out }, workgroups: [1], cost } as const;
      runtime().run({ ...call, constants: numbers });
      expect(await runtime().read(out)).toEqual(Float32Array.from(constants));
      runtime().clear(out);
      runtime().run({ ...call, data: numbers });
      expect(await runtime().read(out)).toEqual(Float32Array.from(constants));
    }));
});
