import { Command } from 'commander';
import { TubeletError } from '@tubelet/kernels';
import { MpiError } from '@tubelet/mpi';
import { ConfigError } from '@tubelet/mae-dfer';
import { CheckpointFormatError } from '@tubelet/autograd/formats';
import {
  DatasetError,
  FaceDetectorError,
  FfmpegNotFoundError,
  NoReadableVideoError,
  ShardFolderError,
  VideoDecodeError,
  VideoEncodeError,
  VideoSourceError,
  WebCodecsNotFoundError,
} from '@tubelet/video';
import { runCli } from './cli.js';

/** Errors whose message tells the user all there is to know. */
const USER_ERRORS = [
  TubeletError,
  CheckpointFormatError,
  ConfigError,
  DatasetError,
  FaceDetectorError,
  FfmpegNotFoundError,
  MpiError,
  NoReadableVideoError,
  ShardFolderError,
  VideoDecodeError,
  VideoEncodeError,
  VideoSourceError,
  WebCodecsNotFoundError,
];

/** Runs the program that the command line asks for, and ends the process with its exit code. */
export async function runProgram(
  name: string,
  description: string,
  commands: readonly Command[],
): Promise<never> {
  const program = new Command(name)
    .description(description)
    .exitOverride()
    .showHelpAfterError('(add --help for all options)');
  for (const command of commands) program.addCommand(inherit(command, program));
  return runCli(
    async () => {
      await program.parseAsync();
    },
    { userErrors: USER_ERRORS },
  );
}

/** Settings of a command reach the commands below it only when they are copied. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}
