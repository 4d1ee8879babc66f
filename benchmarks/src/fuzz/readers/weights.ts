/** Weights: safetensors, PyTorch's archives and the pickles in them, checkpoints. */
import { createHash } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  decodeSafetensors,
  encodeSafetensors,
  readPytorchCheckpoint,
  type SafetensorsTensor,
} from '@tubelet/autograd/formats';
import { loadCheckpoint } from '@tubelet/trainer/formats';
import fc from 'fast-check';
import {
  describeClassifier,
  encoderConfigOf,
  readClassifierFile,
  readWeightsFile,
} from '../../../../apps/finetune/src/testing/readers.js';
import { tinyDescription } from '../../../../apps/finetune/src/testing/tiny-classifier.js';
import {
  archive,
  bytesOf,
  dictOf,
  op,
  pickle,
  tensorOf,
  tupleOf,
} from '../../../../packages/autograd/src/formats/testing/torch-archive.js';
import { changed, damaged } from '../mutate.js';
import type { Reader } from '../reader.js';

const FILE_ERRORS = ['UserError', 'CheckpointCorruptError', 'CheckpointReadError'];

const tensor = (...shape: number[]): SafetensorsTensor => {
  const data = Float32Array.from(
    { length: shape.reduce((product, extent) => product * extent, 1) },
    (_, i) => i,
  );
  return { dtype: 'F32', shape, data };
};
const weights = new Map([
  ['encoder.patch_embed.proj.weight', tensor(4, 3, 2, 2, 2)],
  ['encoder.blocks.0.norm1.weight', tensor(4)],
  ['head.bias', { dtype: 'F64', shape: [1], data: Float64Array.of(1) } as const],
  ['half', { dtype: 'F16', shape: [3, 0], data: new Uint16Array(0) } as const],
]);

/** The header of a safetensors file as a value, and the file of such a value. */
function headerOf(file: Uint8Array): { header: unknown; data: Uint8Array } {
  const length = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  return {
    header: JSON.parse(Buffer.from(file.subarray(8, 8 + length)).toString()),
    data: file.subarray(8 + length),
  };
}
function withHeader(header: unknown, data: Uint8Array): Uint8Array {
  const text = Buffer.from(JSON.stringify(header) ?? '');
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([length, text, data]);
}

function safetensorsInputs(files: readonly Uint8Array[]): fc.Arbitrary<Uint8Array> {
  const parts = files.map(headerOf);
  const headers = changed(parts.map(({ header }) => header)).map((header) =>
    withHeader(header, parts[0]!.data),
  );
  return fc.oneof({ weight: 2, arbitrary: damaged(files) }, { weight: 1, arbitrary: headers });
}

const DIGEST = /("tubelet\.sha256":")[0-9a-f]{64}/;

/** A checkpoint whose digest fits what has become of it, so that what the digest protects is read. */
function withDigest(file: Uint8Array): Uint8Array {
  const blank = Buffer.from(
    Buffer.from(file)
      .toString('latin1')
      .replace(DIGEST, `$1${'0'.repeat(64)}`),
    'latin1',
  );
  const digest = createHash('sha256').update(blank).digest('hex');
  return Buffer.from(blank.toString('latin1').replace(DIGEST, `$1${digest}`), 'latin1');
}

/** Metadata of checkpoints, each changed in the JSON that an entry holds. */
const metadataInputs = (entries: Readonly<Record<string, string>>): fc.Arbitrary<Record<string, string>> => {
  const values = Object.entries(entries);
  return fc.nat(values.length - 1).chain((index) => {
    const [key, text] = values[index]!;
    const made = fc.oneof(
      changed([JSON.parse(text)]).map((value) => JSON.stringify(value) ?? ''),
      damaged([Buffer.from(text)]).map((bytes) => Buffer.from(bytes).toString()),
    );
    return made.map((value) => ({ [key]: value }));
  });
};

function checkpointOf(metadata: Readonly<Record<string, string>>): Uint8Array {
  const described = { ...metadata, 'tubelet.checkpoint': '1', 'tubelet.sha256': '0'.repeat(64) };
  return withDigest(encodeSafetensors(weights, { 'tubelet.step': '7', ...described }));
}

const description = describeClassifier(tinyDescription());
const pretraining = {
  'tubelet.pretraining.config': JSON.stringify({
    encoder: tinyDescription().model.encoder,
    decoder: { dim: 32, depth: 1, heads: 2 },
  }),
};

const floats = bytesOf(Float32Array.from({ length: 12 }, (_, i) => i));
const stateDict = dictOf([
  ['encoder.blocks.0.attn.weight', tensorOf({ key: '0', size: 12, shape: [3, 4] })],
  ['encoder.turned', tensorOf({ key: '0', size: 12, shape: [4, 3], strides: [1, 4] })],
  ['backbone.norm.bias', tensorOf({ key: '1', size: 2, shape: [2], type: 'DoubleStorage' })],
]);
const whole = dictOf([
  ['model', stateDict],
  ['epoch', op.integer(799)],
  ['args', dictOf([['lr', op.integer(1)]])],
  ['optimizer', tupleOf(op.none, op.true)],
]);
const storages = { '0': floats, '1': new Uint8Array(16) };
const pickles = [pickle(whole), pickle(stateDict)];
const archives = pickles.flatMap((one) => [archive(one, storages), archive(one, storages, { zip64: true })]);

/** Programs of a pickle machine: opcodes that exist, in any order, with arguments of any size. */
const opcodes = fc
  .array(
    fc.oneof(
      fc.constantFrom(
        ...Object.values(op).flatMap((value) => (value instanceof Uint8Array ? [value] : [])),
        ...[...'0125()]}aedlsuRbQ.q\x00h\x00j\x8f\x90\x91\x93\x94\x81\x92'].map((one) =>
          Buffer.from(one, 'latin1'),
        ),
      ),
      fc.constantFrom('storage', '0', 'a', '').map(op.string),
      fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }).map(op.integer),
      fc
        .constantFrom(
          ['torch', 'FloatStorage'],
          ['torch._utils', '_rebuild_tensor_v2'],
          ['collections', 'OrderedDict'],
        )
        .map(([module, name]) => op.global(module!, name!)),
      fc.uint8Array({ maxLength: 9 }),
    ),
    { maxLength: 60 },
  )
  .map((codes) => pickle(...codes));

export function weightReaders(folder: string): Reader[] {
  const inFile = (name: string, read: (path: string) => Promise<unknown>) => {
    const path = join(folder, name);
    return {
      refusals: FILE_ERRORS,
      names: path,
      read: (bytes: Uint8Array) => {
        writeFileSync(path, bytes);
        return read(path);
      },
    };
  };
  const plain = encodeSafetensors(weights, { note: 'a "quoted" word' });
  const checkpoints = [checkpointOf(description), checkpointOf(pretraining)];
  const damagedCheckpoints = fc.oneof(
    safetensorsInputs(checkpoints),
    safetensorsInputs(checkpoints).map(withDigest),
    metadataInputs({ ...description, ...pretraining, 'tubelet.step': '7' }).map(checkpointOf),
  );
  return [
    {
      name: 'safetensors',
      inputs: safetensorsInputs([plain, encodeSafetensors(new Map())]),
      refusals: ['SafetensorsError'],
      names: 'safetensors: ',
      share: 20_000,
      read: decodeSafetensors,
    },
    {
      name: 'zip and pickle of a .pth',
      inputs: damaged(archives),
      refusals: ['CheckpointFormatError'],
      share: 15_000,
      read: readPytorchCheckpoint,
    },
    {
      name: 'pickle in a sound .pth',
      inputs: fc.oneof(damaged(pickles), opcodes).map((bytes) => archive(bytes, storages)),
      refusals: ['CheckpointFormatError'],
      share: 15_000,
      read: readPytorchCheckpoint,
    },
    {
      name: 'checkpoint',
      inputs: damagedCheckpoints,
      share: 8_000,
      ...inFile('step-00000007.safetensors', loadCheckpoint),
    },
    {
      name: 'classifier',
      inputs: fc.oneof(damagedCheckpoints, metadataInputs(description).map(checkpointOf)),
      share: 4_000,
      ...inFile('classifier.safetensors', readClassifierFile),
    },
    {
      name: 'weights to start from',
      inputs: fc.oneof(damagedCheckpoints, damaged(archives), safetensorsInputs([plain])),
      share: 8_000,
      ...inFile('weights.pth', async (path) => [await readWeightsFile(path), await encoderConfigOf(path)]),
    },
  ];
}
