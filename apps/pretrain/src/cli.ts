#!/usr/bin/env node
import { Command } from 'commander';
import { TubeletError } from '@tubelet/kernels';
import { ConfigError } from '@tubelet/mae-dfer';
import { runCli } from '@tubelet/trainer';
import {
  FfmpegNotFoundError,
  NoReadableVideoError,
  VideoDecodeError,
  VideoSourceError,
} from '@tubelet/video';
import { reconstructCommand } from './reconstruct-command.js';
import { trainCommand } from './train-command.js';

const program = new Command('pretrain')
  .description('Self-supervised pre-training of MAE-DFER on facial video.')
  .exitOverride()
  .showHelpAfterError('(add --help for all options)');
for (const command of [trainCommand(), reconstructCommand()])
  program.addCommand(command.copyInheritedSettings(program));

await runCli(
  async () => {
    await program.parseAsync();
  },
  {
    userErrors: [
      TubeletError,
      ConfigError,
      FfmpegNotFoundError,
      NoReadableVideoError,
      VideoDecodeError,
      VideoSourceError,
    ],
  },
);
