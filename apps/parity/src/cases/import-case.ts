import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { finetuneStateDict, pretrainingShapes } from '@tubelet/mae-dfer';
import { readPytorchCheckpoint } from '@tubelet/autograd/formats';
// Test code of a neighbour, which is no part of what its package offers.
import { archive, bytesOf } from '../../../../packages/autograd/src/formats/testing/torch-archive.js';
import { GoldenFolderError, objectField, type GoldenFolder } from '../golden-folder.js';
import type { Report } from '../report.js';
import { pretrainingConfig } from './pretraining-case.js';

const ARCHIVE = '.pth';
const PICKLE = '.data.pkl.gz';

/** The name of the weights in `<name>.checkpoint-<epoch>` with this ending. */
const nameOf = (file: string, ending: string): string =>
  file.slice(0, -ending.length).replace(/\.checkpoint-\w+$/, '');

/**
 * Checkpoints in the published format beside what loading them for fine-tuning must give:
 *
 * - `<name>.checkpoint-<epoch>.pth` beside `finetune_from_<name>.safetensors`;
 * - or, since optimiser state makes those large, the pickle alone as PyTorch wrote it,
 *   `<name>.checkpoint-<epoch>.data.pkl.gz`, beside the digests in `finetune_from_<name>.json`. The weights follow from
 *   their names, like those of the cases, and are put back.
 */
export function importCases(folder: GoldenFolder, report: Report): void {
  const archives = folder.files(ARCHIVE);
  const pickles = folder.files(PICKLE);
  if (archives.length + pickles.length === 0) report.omit('published checkpoints (.pth: not in this folder)');
  for (const file of archives) compareArchive(folder, file, report);
  for (const file of pickles) comparePickle(folder, file, report);
}

function compareArchive(folder: GoldenFolder, file: string, report: Report): void {
  const name = nameOf(file, ARCHIVE);
  const expected = folder.tensors(`finetune_from_${name}`);
  if (!expected) {
    report.omit(`${file} (there is no finetune_from_${name}.safetensors to compare with)`);
    return;
  }
  const { tensors } = readPytorchCheckpoint(readFileSync(join(folder.path, file)));
  const shapes = new Map([...expected].map(([key, { shape }]) => [key, shape]));
  const loaded = finetuneStateDict(tensors, shapes).tensors;
  for (const [key, { data }] of expected) {
    const tensor = loaded.get(key);
    report.compare(
      file,
      `parameter imported: ${key}`,
      'exact',
      (tensor?.data ?? []) as ArrayLike<number>,
      data,
    );
  }
}

function comparePickle(folder: GoldenFolder, file: string, report: Report): void {
  const name = nameOf(file, PICKLE);
  const where = `finetune_from_${name}.json`;
  const expected = folder.json(`finetune_from_${name}`);
  if (!expected) {
    report.omit(`${file} (there is no ${where} to compare with)`);
    return;
  }
  const digests = objectField(expected, 'sha256', where);
  const written = shapesOf(folder, name);
  // A storage has the number of its tensor; those of the optimiser's state come after, and nothing may look for them.
  const storages = written.map(
    ([key, shape], index) => [String(index), bytesOf(proceduralParameter(key, shape))] as const,
  );
  const pickle = gunzipSync(readFileSync(join(folder.path, file)));
  const { tensors } = readPytorchCheckpoint(archive(pickle, Object.fromEntries(storages)));
  const wanted = new Map([...tensors].map(([key, { shape }]) => [key.replace(/^encoder\./, ''), shape]));
  const shapes = new Map(Object.keys(digests).map((key) => [key, wanted.get(key) ?? []]));
  const loaded = finetuneStateDict(tensors, shapes).tensors;
  for (const [key, digest] of Object.entries(digests)) {
    const data = loaded.get(key)?.data;
    const own = data && createHash('sha256').update(bytesOf(data)).digest();
    report.compare(
      file,
      `parameter imported: ${key}`,
      'exact',
      own ?? [],
      Buffer.from(String(digest), 'hex'),
    );
  }
}

/** Names and shapes of the weights of a case of pre-training, in the order of its checkpoint. */
function shapesOf(folder: GoldenFolder, name: string): [name: string, shape: readonly number[]][] {
  const testCase = folder.cases().find(([key]) => key === name)?.[1];
  if (!testCase) throw new GoldenFolderError(`manifest.json has no case "${name}" that tells its weights`);
  const { encoder, decoder } = pretrainingConfig(objectField(testCase, 'config', name), name);
  return [...pretrainingShapes({ encoder, decoder })];
}
