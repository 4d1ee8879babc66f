#!/usr/bin/env node
import { runProgram, runsCommand } from '@tubelet/trainer';
import { reconstructCommand } from './reconstruct-command.js';
import { trainCommand } from './train-command.js';

await runProgram('pretrain', 'Self-supervised pre-training of MAE-DFER on facial video.', [
  trainCommand(),
  reconstructCommand(),
  runsCommand(),
]);
