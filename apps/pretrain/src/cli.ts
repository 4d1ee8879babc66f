#!/usr/bin/env node
import { runProgram, runsCommand } from '@tubelet/trainer';
import { dataCommand } from './data-command.js';
import { prepareCommand } from './prepare-command.js';
import { reconstructCommand } from './reconstruct-command.js';
import { trainCommand } from './train-command.js';

await runProgram('pretrain', 'Self-supervised pre-training of MAE-DFER on facial video.', [
  dataCommand(),
  prepareCommand(),
  trainCommand(),
  reconstructCommand(),
  runsCommand(),
]);
