import { describe, expect, it } from 'vitest';
import { streamPurpose } from '../philox/philox.js';
import type { GpuArray } from '../runtime/gpu-array.js';
import type { Runtime } from '../runtime/runtime.js';
import { useRuntime } from '../testing/test-runtime.js';
import { AFFINE_RECORD, seeThroughMaps } from './affine/affine.js';
import { CROP_RECORD, cropVideo } from './crop-video/crop-video.js';
import { RESAMPLE_RECORD, resampleFrames } from './resample/resample.js';
import { TONE_TABLES_RECORD, makeToneTables } from './tone-tables/tone-tables.js';
import { applyTones, TONE_RECORD } from './tone/tone.js';
import { UNPACK_RECORD, unpackFrames } from './unpack/unpack.js';

/** What the kernels take together, but for jobs, of frames of 4 × 4 pixels. */
const operands = (runtime: Runtime) => ({
  bytes: runtime.empty([64], 'u8'),
  source: runtime.empty([16], 'u32'),
  pixels: runtime.empty([16], 'u32'),
  table: runtime.empty([16], 'u32'),
  video: runtime.empty([1, 3, 1, 4, 4]),
  ...{ width: 4, height: 4, rowPixels: 4, count: 16, planar: false, axis: 'rows' as const },
  purpose: streamPurpose(11),
});

type Operands = ReturnType<typeof operands> & { readonly jobs: GpuArray };
type Words = 'source' | 'pixels' | 'table';

const kernels: Readonly<
  Record<string, [(runtime: Runtime, operands: Operands) => void, record: number, ...words: Words[]]>
> = {
  unpack: [unpackFrames, UNPACK_RECORD, 'pixels'],
  resample: [resampleFrames, RESAMPLE_RECORD, 'source', 'table', 'pixels'],
  affine: [seeThroughMaps, AFFINE_RECORD, 'pixels'],
  tone: [applyTones, TONE_RECORD, 'pixels', 'table'],
  'tone-tables': [makeToneTables, TONE_TABLES_RECORD, 'pixels', 'table'],
  'crop-video': [cropVideo, CROP_RECORD, 'pixels', 'table'],
};

describe('kernels on pixels', () => {
  const runtime = useRuntime();

  it.each(Object.entries(kernels))('refuse words of another type: %s', (name, [run, record, ...words]) =>
    runtime().scope(() => {
      const given = { ...operands(runtime()), jobs: runtime().empty([1, record], 'u32') };
      const wrong = {
        'f32\\[16\\] at offset 0': runtime().empty([16]),
        'u32\\[16\\] at offset 16': runtime().empty([32], 'u32').slice(0, 16, 32),
      };
      for (const word of words) {
        for (const [text, array] of Object.entries(wrong)) {
          expect(() => run(runtime(), { ...given, [word]: array })).toThrow(
            new RegExp(`${name}: ${word} is ${text}: give a contiguous u32`),
          );
        }
      }
    }),
  );
});
