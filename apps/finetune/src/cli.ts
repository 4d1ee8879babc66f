#!/usr/bin/env node
import { runProgram, runsCommand } from '@tubelet/trainer';
import { dataCommand } from './data-command.js';
import { embedCommand } from './embed-command.js';
import { evaluateCommand } from './evaluate-command.js';
import { exportCommand } from './export-command.js';
import { figureCommand } from './figure-command.js';
import { predictCommand } from './predict-command.js';
import { trainCommand } from './train-command.js';

const DESCRIPTION = `Fine-tunes, evaluates and applies MAE-DFER for facial expressions in video.

The way from a data set to an answer: data check, train, evaluate, predict. The help of each command has its options and examples; docs/fine-tuning.md is the guide.`;

await runProgram('finetune', DESCRIPTION, [
  dataCommand(),
  trainCommand(),
  evaluateCommand(),
  predictCommand(),
  embedCommand(),
  figureCommand(),
  exportCommand(),
  runsCommand(),
]);
