import { describe, expect, it } from 'vitest';
import type { GpuArray } from '../runtime/gpu-array.js';
import { useRuntime } from '../testing/test-runtime.js';
import mulHighWgsl from './mul-high.wgsl';
import { createPhiloxKey, withPhiloxKey, writePhiloxKey, type PhiloxKeySource } from './philox-key.js';
import { PhiloxStream, streamPurpose } from './philox.js';
import philoxWgsl from './philox.wgsl';

const purpose = streamPurpose(11);

// out[i] = draw i of the stream, a block an invocation.
const drawsWgsl = `
var<storage, read> key: array<u32>;
var<storage, read_write> out: array<u32>;
@compute @workgroup_size(1)
fn main(@builtin(workgroup_id) group: vec3u) {
  let draws = philox4x32(vec4u(group.x, key[3], key[2], PURPOSE), vec2u(key[0], key[1]));
  for (var k = 0u; k < 4u; k++) { out[group.x * 4u + k] = draws[k]; }
}`;

describe('Philox on the GPU', () => {
  const runtime = useRuntime();

  const draw = (source: PhiloxKeySource, out: GpuArray) =>
    withPhiloxKey(runtime(), 'draws', source, (key) =>
      runtime().run({
        kernel: 'draws',
        wgsl: [mulHighWgsl, philoxWgsl, drawsWgsl],
        data: { PURPOSE: purpose },
        arrays: { key, out },
        workgroups: [out.size / 4],
        cost: { macs: 0, flops: 0, bytesRead: 16, bytesWritten: out.sizeBytes },
      }),
    );
  const read = async (out: GpuArray) => [...new Uint32Array(await runtime().readBytes(out))];

  it.each([
    { seed: 0, epoch: 0, sample: 0 },
    { seed: 7, epoch: 0xffffffff, sample: 3 },
    { seed: 0x1_2345_6789_abc, epoch: 12, sample: 0xfffffffe },
  ])('gives the bits of the TypeScript stream for %o', (words) =>
    runtime().scope(async () => {
      const out = runtime().empty([2000], 'u32');
      draw(words, out);
      const stream = new PhiloxStream({ ...words, purpose });
      expect(await read(out)).toEqual(Array.from({ length: 2000 }, () => stream.nextUint32()));
    }),
  );

  it('reads its key from an array, so that a recorded kernel can draw anew', () =>
    runtime().scope(async () => {
      const key = createPhiloxKey(runtime(), { seed: 1, epoch: 2, sample: 3 });
      const out = runtime().empty([4], 'u32');
      for (const epoch of [2, 5]) {
        writePhiloxKey(runtime(), key, { seed: 1, epoch, sample: 3 });
        draw({ key }, out);
        const stream = new PhiloxStream({ seed: 1, epoch, sample: 3, purpose });
        expect(await read(out)).toEqual(Array.from({ length: 4 }, () => stream.nextUint32()));
      }
    }));

  it('refuses keys that are none', () => {
    runtime().scope(() => {
      const out = runtime().empty([4], 'u32');
      expect(() => draw({ seed: 1, epoch: -1 }, out)).toThrow(/epoch is -1/);
      expect(() => draw({ seed: 0.5 }, out)).toThrow(/seed is 0.5/);
      expect(() => draw({ key: runtime().empty([4]) }, out)).toThrow(/createPhiloxKey/);
    });
  });
});
