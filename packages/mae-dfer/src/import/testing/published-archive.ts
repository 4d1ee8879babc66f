/** An official checkpoint in miniature: a pickle as PyTorch wrote it, and weights that follow from their names. */
import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { lgiFormer, type DecoderConfig, type LgiFormerConfig } from '../../config.js';
import { pretrainingShapes } from '../../pretraining-model.js';
import {
  archive,
  bytesOf,
  dictOf,
  pickle,
  tensorOf,
} from '../../../../autograd/src/formats/testing/torch-archive.js';

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

type Shapes = ReadonlyMap<string, readonly number[]>;

/** Names and shapes of what {@link publishedArchive} holds, in its order. */
export function publishedShapes(): Shapes {
  return pretrainingShapes({ encoder: PUBLISHED_ENCODER, decoder: PUBLISHED_DECODER });
}

function storagesOf(shapes: Shapes): Record<string, Uint8Array> {
  return Object.fromEntries(
    [...shapes].map(([name, shape], key) => [String(key), bytesOf(proceduralParameter(name, shape))]),
  );
}

/** Bytes of a `.pth` of pre-training: weights by {@link proceduralParameter} of their names, optimiser state, settings. */
export function publishedArchive(): Uint8Array {
  const pickled = gunzipSync(readFileSync(PICKLE));
  return archive(pickled, storagesOf(publishedShapes()), { root: 'checkpoint-49' });
}

/**
 * Bytes of a `.pth` in the layout of VideoMAE's published checkpoints: the state dict of a model under `key`, in its
 * order, weights by {@link proceduralParameter} of their names.
 */
export function stateDictArchive(shapes: Shapes, key: 'model' | 'module'): Uint8Array {
  const entries = [...shapes].map(([name, shape], i) => {
    const size = shape.reduce((product, extent) => product * extent, 1);
    return [name, tensorOf({ key: String(i), size, shape })] as const;
  });
  return archive(pickle(dictOf([[key, dictOf(entries)]])), storagesOf(shapes));
}
