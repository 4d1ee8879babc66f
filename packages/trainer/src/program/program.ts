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
import { exitCodeOf, runCli, type CliOptions } from './cli.js';

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
export function runProgram(name: string, description: string, commands: readonly Command[]): Promise<never> {
  return runCli(() => parse(name, description, commands), { userErrors: USER_ERRORS });
}

/** As {@link runProgram}, for tests: gives the exit code of what `process.argv` asks for, in a process that goes on. */
export function programExitCode(
  name: string,
  description: string,
  commands: readonly Command[],
  options: Pick<CliOptions, 'env'> = {},
): Promise<number> {
  return exitCodeOf(() => parse(name, description, commands), { userErrors: USER_ERRORS, ...options });
}

async function parse(name: string, description: string, commands: readonly Command[]): Promise<void> {
  const program = new Command(name)
    .description(description)
    .exitOverride()
    .showHelpAfterError('(add --help for all options)');
  for (const command of commands) program.addCommand(inherit(command, program));
  await program.parseAsync();
}

/** Settings of a command reach the commands below it only when they are copied. */
function inherit(command: Command, parent: Command): Command {
  command.copyInheritedSettings(parent);
  for (const inner of command.commands) inherit(inner, command);
  return command;
}
