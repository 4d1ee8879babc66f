#!/usr/bin/env node
import { runProgram } from '@tubelet/programs';
import { dataCommand } from './data-command.js';
import { embedCommand } from './embed-command.js';
import { evaluateCommand } from './evaluate-command.js';
import { exportCommand } from './export-command.js';
import { predictCommand } from './predict-command.js';
import { trainCommand } from './train-command.js';

await runProgram('finetune', 'Fine-tunes, evaluates and applies MAE-DFER for facial expressions in video.', [
  dataCommand(),
  trainCommand(),
  evaluateCommand(),
  predictCommand(),
  embedCommand(),
  exportCommand(),
]);
