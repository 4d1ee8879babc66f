import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Command } from 'commander';
import { regionOf, type PretrainingConfig } from '@tubelet/mae-dfer';
import { PAPER_TABLES } from '@tubelet/trainer';
import { describe, expect, it } from 'vitest';
import { modelConfig, requireFittingOptions, trainOptions, type TrainOptions } from './train-options.js';

const FOLDER = fileURLToPath(new URL('../../../../recipes/pretrain', import.meta.url));

/** A recipe as `pretrain --config` reads it. */
function read(file: string): { options: TrainOptions; config: PretrainingConfig } {
  const command = trainOptions.addTo(new Command('train'), { configFile: true });
  command.parse(['--config', join(FOLDER, file), '--out', 'runs/x'], { from: 'user' });
  const { options, given } = trainOptions.read(command);
  requireFittingOptions(options);
  return { options, config: modelConfig(options, given) };
}

const recipes = readdirSync(FOLDER).map(read);

describe('recipes of pre-training', () => {
  it('crop VoxCeleb2 as published, and change nothing but what their row is about', () => {
    expect(recipes.length).toBeGreaterThan(0);
    for (const { options } of recipes) {
      expect(options).toMatchObject({ crop: 'voxceleb', frameStep: 4, maskRatio: 0.9, batchSize: 128 });
      expect(options).toMatchObject({ lr: 3e-4, minLr: 1e-5, warmupEpochs: 5, weightDecay: 0.05 });
    }
  });

  it('have a model for every row of Tables 3, 4 and 10', () => {
    const encoders = recipes.map(({ config }) => config.encoder);
    const lgi = encoders.filter((one) => one.kind === 'lgi-former');
    for (const { local, interRegion, localGlobal } of PAPER_TABLES[3]) {
      const fits = local
        ? lgi.some((one) => one.interRegion === interRegion && one.localGlobal === localGlobal)
        : encoders.some(({ kind }) => kind === 'vit');
      expect(fits, `${interRegion} ${localGlobal}`).toBe(true);
    }
    const regions = new Set(lgi.map((one) => regionOf(one).join()));
    for (const { region } of PAPER_TABLES[4]) expect(regions).toContain(region.join());
    for (const { dim } of PAPER_TABLES[10]) expect(lgi.map((one) => one.dim)).toContain(dim);
  });

  it('have the ViT with each target of Table 11, and a checkpoint for every epoch of Table 2', () => {
    const targets = recipes
      .filter(({ config }) => config.encoder.kind === 'vit')
      .map(({ options }) => `${options.target} ${options.lossWeight}`);
    expect(targets.sort()).toEqual(['difference 0', 'difference 0.5', 'pixels 0.5']);
    const { epochs, keepEvery } = read('epochs.yaml').options;
    for (const row of PAPER_TABLES[2]) {
      expect(row.epochs % keepEvery!).toBe(0);
      expect(row.epochs).toBeLessThanOrEqual(epochs);
    }
  });
});
