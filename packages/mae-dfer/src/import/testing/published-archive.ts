/** An official checkpoint in miniature: a pickle as PyTorch wrote it, and weights that follow from their names. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { lgiFormer, type DecoderConfig, type LgiFormerConfig } from '../../config.js';
import { pretrainingSpecs } from '../../parameter-specs.js';
import { archive, bytesOf } from './torch-archive.js';

const PICKLE = new URL('../fixtures/pretrain-tiny.data.pkl.gz', import.meta.url);

/** The encoder of {@link publishedArchive}. */
export const PUBLISHED_ENCODER: LgiFormerConfig = lgiFormer('base', {
  dim: 64,
  depth: 2,
  heads: 2,
  imageSize: 64,
  region: [2, 2, 4],
});
const PUBLISHED_DECODER: DecoderConfig = { dim: 48, depth: 1, heads: 3 };

/** Names and shapes of what {@link publishedArchive} holds, in its order. */
export function publishedShapes(): [name: string, shape: readonly number[]][] {
  return pretrainingSpecs(PUBLISHED_ENCODER, PUBLISHED_DECODER)
    .flatMap((spec) => ('pack' in spec ? [...spec.parts] : [spec]))
    .flatMap((part) => ('name' in part ? [[part.name, part.shape]] : []));
}

/** Bytes of a `.pth` of pre-training: weights by {@link proceduralParameter} of their names, optimiser state, settings. */
export function publishedArchive(): Uint8Array {
  const storages = publishedShapes().map(
    ([name, shape], key) => [String(key), bytesOf(proceduralParameter(name, shape))] as const,
  );
  return archive(gunzipSync(readFileSync(PICKLE)), Object.fromEntries(storages), { root: 'checkpoint-49' });
}
