import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readStateDict } from '@tubelet/autograd';
import type { Runtime } from '@tubelet/kernels';
import { proceduralParameter } from '@tubelet/kernels/lab';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { lgiFormer, pretrainingShapes, vitBase, type PretrainingConfig } from '@tubelet/mae-dfer';
import { UserError } from '@tubelet/trainer';
import { checkpointPath, saveCheckpoint } from '@tubelet/trainer/formats';
// Test code of a neighbour, which is not part of what its package offers.
import { stateDictArchive } from '../../../../packages/mae-dfer/src/import/testing/published-archive.js';
import { hostileArchive } from '../../../../packages/autograd/src/formats/testing/torch-archive.js';
import { loadStartingWeights } from './starting-weights.js';
import { TrainingState } from './training-state.js';

const decoder = { dim: 32, depth: 1, heads: 1 };
const clip = { imageSize: 32, frames: 4, depth: 2, dim: 32 };
const VIT: PretrainingConfig = {
  encoder: vitBase({ ...clip, heads: 1 }),
  ...{ decoder, decoderPositions: 'token', target: 'pixels' },
};
const LGI: PretrainingConfig = {
  encoder: lgiFormer('tiny', { ...clip, heads: 1, region: [1, 2, 2] }),
  ...{ decoder, decoderPositions: 'token', target: 'difference' },
};

let runtime: Runtime;
let folder: string;
const at = (name: string) => join(folder, name);
const settings = { maskRatio: 0.5, lossWeight: 0.5, weightDecay: 0.05, seed: 3, precision: 'f32' as const };

function fresh(config: PretrainingConfig): TrainingState {
  const state = new TrainingState(runtime, config, settings);
  state.initialise();
  return state;
}

beforeAll(async () => {
  runtime = await openNodeRuntime();
  folder = mkdtempSync(join(tmpdir(), 'tubelet-from-'));
  writeFileSync(at('videomae.pth'), stateDictArchive(pretrainingShapes(VIT), 'model'));
});
afterAll(() => {
  closeNodeRuntime(runtime);
  rmSync(folder, { recursive: true, force: true });
});

describe('weights to begin a pre-training with', () => {
  it('come whole from a checkpoint of pre-training, or the run that has it, without its optimiser', async () => {
    const earlier = fresh(LGI);
    await saveCheckpoint(checkpointPath(at('run'), 7), await earlier.checkpoint(7));
    const state = new TrainingState(runtime, LGI, { ...settings, seed: 4 });
    state.initialise();
    const theirs = await readStateDict(earlier.store);
    expect(await readStateDict(state.store)).not.toEqual(theirs);
    const { note, record } = await loadStartingWeights(at('run'), state);
    expect(await readStateDict(state.store)).toEqual(theirs);
    expect(record).toMatchObject({ fresh: [], unused: [] });
    expect(note).toContain('step-00000007.safetensors');
  });

  it('come from VideoMAE’s published layout, and a decoder of another width keeps its own', async () => {
    const state = fresh({ ...VIT, decoder: { dim: 48, depth: 1, heads: 1 } });
    const before = await readStateDict(state.store);
    const { note, record } = await loadStartingWeights(at('videomae.pth'), state);
    for (const [name, { shape, data }] of await readStateDict(state.store)) {
      const isTheirs = name.startsWith('encoder.') || name === 'decoder.head.bias';
      expect(data, name).toEqual(isTheirs ? proceduralParameter(name, shape) : before.get(name)!.data);
    }
    expect((record as { fresh: string[] }).fresh).toContain('encoder_to_decoder.weight');
    expect(note).toMatch(/fresh: mask_token, .* more\n.* of the file not used: mask_token/);
  });

  it('come from a published file of MAE-DFER, whose regions the model here tells', async () => {
    writeFileSync(at('lgi.pth'), stateDictArchive(pretrainingShapes(LGI), 'model'));
    const { record } = await loadStartingWeights(at('lgi.pth'), fresh(LGI));
    expect(record).toMatchObject({ fresh: [], unused: [] });
  });

  it('are refused for another encoder, with what differs, and nothing is written', async () => {
    const state = fresh({ ...VIT, encoder: vitBase({ ...clip, heads: 1, depth: 3 }) });
    const before = await readStateDict(state.store);
    const loading = loadStartingWeights(at('videomae.pth'), state);
    await expect(loading).rejects.toThrow(UserError);
    await expect(loading).rejects.toThrow(/encoder\.blocks\.2\.norm1\.weight \(absent there, 32 here\)/);
    expect(await readStateDict(state.store)).toEqual(before);
    const other = fresh({ ...LGI, encoder: { ...LGI.encoder, heads: 2 } as PretrainingConfig['encoder'] });
    await expect(loadStartingWeights(at('run'), other)).rejects.toThrow(/--heads is 1 there and 2 here/);
    rmSync(at('run/checkpoints'), { recursive: true });
    await expect(loadStartingWeights(at('run'), other)).rejects.toThrow(
      /run is not the folder of a run with checkpoints/,
    );
  });

  it('are refused from a pickle that would call functions of a machine', async () => {
    writeFileSync(at('hostile.pth'), hostileArchive('os', 'system'));
    await expect(loadStartingWeights(at('hostile.pth'), fresh(VIT))).rejects.toThrow(
      /hostile\.pth is refused: its pickle wants os\.system to be called/,
    );
  });
});
