/** An official checkpoint in miniature: a pickle as PyTorch wrote it, and weights that follow from their names. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { lgiFormer, type DecoderConfig, type LgiFormerConfig } from '../../config.js';
import { pretrainingSpecs, type Specs } from '../../parameter-specs.js';
import { archive, bytesOf, dictOf, pickle, tensorOf } from './torch-archive.js';

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

function shapesOf(specs: Specs): [name: string, shape: readonly number[]][] {
  return specs
    .flatMap((spec) => ('pack' in spec ? [...spec.parts] : [spec]))
    .flatMap((part) => ('name' in part ? [[part.name, part.shape]] : []));
}

/** Names and shapes of what {@link publishedArchive} holds, in its order. */
export function publishedShapes(): [name: string, shape: readonly number[]][] {
  return shapesOf(pretrainingSpecs(PUBLISHED_ENCODER, PUBLISHED_DECODER));
}

function storagesOf(shapes: ReturnType<typeof shapesOf>): Record<string, Uint8Array> {
  return Object.fromEntries(
    shapes.map(([name, shape], key) => [String(key), bytesOf(proceduralParameter(name, shape))]),
  );
}

/** Bytes of a `.pth` of pre-training: weights by {@link proceduralParameter} of their names, optimiser state, settings. */
export function publishedArchive(): Uint8Array {
  const pickled = gunzipSync(readFileSync(PICKLE));
  return archive(pickled, storagesOf(publishedShapes()), { root: 'checkpoint-49' });
}

/**
 * Bytes of a `.pth` in the layout of VideoMAE's published checkpoints: the state dict of a model under `key`, in its order,
 * weights by {@link proceduralParameter} of their names.
 */
export function stateDictArchive(specs: Specs, key: 'model' | 'module'): Uint8Array {
  const shapes = shapesOf(specs);
  const entries = shapes.map(([name, shape], i) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return [name, tensorOf({ key: String(i), size, shape })] as const;
  });
  return archive(pickle(dictOf([[key, dictOf(entries)]])), storagesOf(shapes));
}
