import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { decodeSafetensors, encodeSafetensors, type SafetensorsTensor } from '@tubelet/autograd/formats';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { UserError } from '@tubelet/trainer';
import { checkpointPath, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of neighbours, which is not part of what their packages offer.
import published from '../../../../packages/mae-dfer/src/fixtures/published-keys.json' with { type: 'json' };
import { temporaryFolder } from '../../../../packages/trainer/src/testing/temporary-folder.js';
// Test code of a neighbour, which is not part of what its package offers.
import {
  PUBLISHED_ENCODER,
  publishedArchive,
  publishedShapes,
} from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { describeClassifier, readClassifierFile } from '../classifier/classifier-file.js';
import { exportWeights } from './export-weights.js';
import { tinyDescription } from '../testing/tiny-classifier.js';
import { encoderConfigOf, readWeightsFile } from '../classifier/weights-file.js';

/** The published names of a model of `depth` blocks and `decoderDepth` of its decoder. */
function publishedNames(model: 'pretrain' | 'finetune', depth: number, decoderDepth = 0): string[] {
  return Object.keys(published[model]).filter((name) => {
    const block = /^(decoder\.)?(?:encoder\.)?blocks\.(\d+)\./.exec(name);
    return !block || Number(block[2]) < (block[1] ? decoderDepth : depth);
  });
}

const tensorsOf = (names: readonly string[]) =>
  new Map(
    names.map((name, i): [string, SafetensorsTensor] => {
      const shape = [2, 3 + (i % 2)];
      return [name, { dtype: 'F32', shape, data: proceduralParameter(name, shape) }];
    }),
  );
const withPrefix = (prefix: string, tensors: ReadonlyMap<string, SafetensorsTensor>) =>
  [...tensors].map(([name, tensor]) => [prefix + name, tensor] as const);

describe('the export of weights', () => {
  it('gives those of a classifier under the published names, bit for bit and without optimiser state', async () => {
    const run = await temporaryFolder();
    const tensors = tensorsOf(publishedNames('finetune', 2));
    const training = ['exp_avg.', 'exp_avg_sq.', 'trained.'].flatMap((prefix) => withPrefix(prefix, tensors));
    const description = tinyDescription();
    await saveCheckpoint(checkpointPath(run, 12), {
      tensors: new Map([...tensors, ...training]),
      metadata: { ...describeClassifier(description), 'tubelet.step': '12' },
    });
    const out = join(run, 'model.safetensors');
    const text = await exportWeights({ checkpoint: run, out });
    expect(text).toContain(`${tensors.size} tensors`);
    expect(text).toContain('tubelet classifier; after 12 steps');
    expect(text).toContain('classes: glad, calm, sad');

    const file = decodeSafetensors(readFileSync(out));
    expect([...file.tensors.keys()].sort()).toEqual(publishedNames('finetune', 2).sort());
    for (const [name, tensor] of file.tensors) expect(tensor, name).toEqual(tensors.get(name));
    expect(file.metadata['format']).toBe('pt');
    // It can still be used like the checkpoint it came from.
    const again = await readClassifierFile(out);
    expect(again.description).toEqual(description);
    expect(new Map([...again.weights].sort())).toEqual(new Map([...tensors].sort()));
  });

  it('gives those of pre-training with the model they belong to', async () => {
    const folder = await temporaryFolder();
    const tensors = tensorsOf(publishedNames('pretrain', 2, 1));
    const config = { encoder: PUBLISHED_ENCODER, decoder: { dim: 48, depth: 1, heads: 3 } };
    const from = join(folder, 'pretraining.safetensors');
    const clips = '{"frameStep":2,"crop":"none"}';
    await saveCheckpoint(from, {
      tensors: new Map([...tensors, ...withPrefix('exp_avg.', tensors)]),
      metadata: {
        'tubelet.pretraining.config': JSON.stringify(config),
        'tubelet.pretraining.clips': clips,
        'tubelet.step': '3',
      },
    });
    const out = join(folder, 'model.safetensors');
    await exportWeights({ checkpoint: from, out });
    const { tensors: written, metadata } = decodeSafetensors(readFileSync(out));
    expect(new Map([...written].sort())).toEqual(new Map([...tensors].sort()));
    expect(
      Object.keys(metadata).filter((key) => key !== 'tubelet.checkpoint' && key !== 'tubelet.sha256'),
    ).toEqual(['format', 'tubelet.pretraining.clips', 'tubelet.pretraining.config']);
    expect(metadata['tubelet.pretraining.clips']).toBe(clips);
    expect(await encoderConfigOf(out)).toEqual(PUBLISHED_ENCODER);
  });

  it('makes safetensors of an official checkpoint, and float32 of what is narrower', async () => {
    const folder = await temporaryFolder();
    writeFileSync(join(folder, 'official.pth'), publishedArchive());
    const out = join(folder, 'official.safetensors');
    await exportWeights({ checkpoint: join(folder, 'official.pth'), out });
    const { tensors } = await readWeightsFile(out);
    expect([...tensors].map(([name, { shape }]) => [name, shape]).sort()).toEqual(
      [...publishedShapes()].sort(),
    );
    for (const [name, { shape, data }] of tensors)
      expect(data, name).toEqual(proceduralParameter(name, shape));

    const half = new Map([
      ['w', { dtype: 'F16', shape: [2], data: Uint16Array.of(0x3c00, 0xc000) } as const],
    ]);
    writeFileSync(join(folder, 'half.safetensors'), encodeSafetensors(half));
    await exportWeights({
      checkpoint: join(folder, 'half.safetensors'),
      out: join(folder, 'full.safetensors'),
    });
    const full = await readWeightsFile(join(folder, 'full.safetensors'));
    expect(full.tensors.get('w')).toEqual({ dtype: 'F32', shape: [2], data: Float32Array.of(1, -2) });
  });

  it('replaces no file, and refuses tensors that are not weights', async () => {
    const folder = await temporaryFolder();
    const counts = new Map([['count', { dtype: 'I32', shape: [1], data: Int32Array.of(1) } as const]]);
    const from = join(folder, 'counts.safetensors');
    writeFileSync(from, encodeSafetensors(counts));
    await expect(exportWeights({ checkpoint: from, out: from })).rejects.toThrow(/is already there/);
    const exporting = exportWeights({ checkpoint: from, out: join(folder, 'out.safetensors') });
    await expect(exporting).rejects.toThrow(UserError);
    await expect(exporting).rejects.toThrow(/counts\.safetensors cannot be exported: .*"count": dtype I32/);
  });
});
