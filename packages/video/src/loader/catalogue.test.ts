import { expect, it, vi } from 'vitest';
import { VideoDecodeError } from '../errors.js';
import { Catalogue } from './catalogue.js';
import type { DecoderPool } from './pool.js';

it.each([
  ['not of a damaged file', new VideoDecodeError('a.mp4', 'damaged'), 1],
  ['after a failure of the system', new Error('EIO: i/o error, read'), 2],
])('asks anew for a header, %s', async (_, failure, asked) => {
  const probe = vi.fn(() => Promise.reject(failure));
  const pool: Partial<DecoderPool> = { probe };
  const shape = { size: 32, crop: 'none' } as const;
  const catalogue = new Catalogue(pool as DecoderPool, [{ path: 'a.mp4' }], shape, 0, undefined);
  for (let i = 0; i < 2; i++) await expect(catalogue.open(0)).rejects.toBe(failure);
  expect(probe).toHaveBeenCalledTimes(asked);
});
