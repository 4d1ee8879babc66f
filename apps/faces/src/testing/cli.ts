/** The command as a program, for tests that start it from its sources. */
import { runCli } from '@tubelet/trainer';
import { FfmpegNotFoundError } from '@tubelet/video';
import { facesCommand } from '../faces-command.js';

await runCli(
  async () => {
    await facesCommand().parseAsync();
  },
  { userErrors: [FfmpegNotFoundError] },
);
