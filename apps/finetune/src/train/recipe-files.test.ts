import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { Command } from 'commander';
import { PUBLISHED_NAMES } from '@tubelet/video';
import { expect, it } from 'vitest';
import { recipeOf } from '../shared/recipes.js';
import { readTrainOptions } from './train-command.js';
import { requireFittingOptions, trainOptions } from './train-options.js';

const FOLDER = fileURLToPath(new URL('../../../../recipes/finetune', import.meta.url));

/** A recipe as `finetune --config` reads it. */
function read(file: string) {
  const command = trainOptions.addTo(new Command('train'), { configFile: true });
  command.parse(['--config', join(FOLDER, file), '--root', 'data', '--out', 'runs/x'], { from: 'user' });
  const { options } = readTrainOptions(command);
  requireFittingOptions(options);
  return options;
}

const files = readdirSync(FOLDER);

it.each(files)('recipe %s has the published batch, frame step and choice of videos', (file) => {
  const options = read(file);
  expect(options).toMatchObject({
    ...recipeOf(options.data),
    validateOn: 'test',
    testOf: 'last',
    epochs: 100,
  });
  expect(options.pooling).toBe(file.includes('original-tokens') ? 'original' : undefined);
});

it('recipes are there for every published data set', () => {
  expect(new Set(files.map((file) => read(file).data))).toEqual(new Set(PUBLISHED_NAMES));
});
