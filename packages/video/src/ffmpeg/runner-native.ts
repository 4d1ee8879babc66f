/** Runs an ffmpeg program of this machine as a child process. */
import { spawn } from 'node:child_process';
import type { NativeFfmpeg } from './ffmpeg.js';
import type { VideoPlace } from '../decode/video-info.js';
import {
  FfmpegInterruptedError,
  GLOBAL_OPTIONS,
  type FfmpegJob,
  type FfmpegResult,
  type FfmpegRunner,
} from './runner.js';
import { STOP_SIGNALS } from '../stop-signals.js';

/** `-fps_mode` came with 5.1; its elder `-vsync` is about to go. Builds from git carry no release number. */
function passEveryFrameOptions(version: string): string[] {
  const release = /^n?(\d+)\.(\d+)/.exec(version);
  const old = release !== null && Number(release[1]) + Number(release[2]) / 100 < 5.01;
  return old ? ['-vsync', 'passthrough'] : ['-fps_mode', 'passthrough'];
}

const LOG_LENGTH_LIMIT = 200_000;

/** Whether someone ended ffmpeg from outside: it answers such a signal itself where it can, and says so. */
function isInterrupted(signal: NodeJS.Signals | null, log: string): boolean {
  if (signal !== null) return STOP_SIGNALS.includes(signal);
  return /received signal \d+/.test(log);
}

/** `file:` keeps names with a colon, or that begin with a dash, from being read as protocols or options. */
function addressOf({ path, part }: VideoPlace): string {
  if (part === undefined) return `file:${path}`;
  return `subfile,,start,${part.begin},end,${part.begin + part.length},,:file:${part.path}`;
}

/** Longer than any video takes that is not far too long to be trained on. */
const RUN_LIMIT_MS = 600_000;

/** @param limitMs how long a run may take before ffmpeg is ended. */
export function createNativeRunner(ffmpeg: NativeFfmpeg, limitMs = RUN_LIMIT_MS): FfmpegRunner {
  return {
    passEveryFrame: passEveryFrameOptions(ffmpeg.version),
    run(job: FfmpegJob): Promise<FfmpegResult> {
      const input = [...(job.inputOptions ?? []), '-i', addressOf(job.input)];
      const args = [...GLOBAL_OPTIONS, '-nostdin', ...input, ...job.outputOptions, 'pipe:1'];
      return new Promise((resolve, reject) => {
        // In a process group of its own: Ctrl-C on the terminal is for the program to answer, not for ffmpeg.
        const child = spawn(ffmpeg.path, args, {
          stdio: ['ignore', 'pipe', 'pipe'],
          detached: true,
          windowsHide: true,
          timeout: limitMs,
          killSignal: 'SIGKILL',
        });
        const begin = performance.now();
        let log = '';
        let failure: unknown;
        child.stderr.setEncoding('utf8');
        child.stderr.on('data', (text: string) => {
          if (log.length < LOG_LENGTH_LIMIT) log += text;
        });
        child.stdout.on('data', (chunk: Buffer) => {
          if (failure !== undefined) return;
          try {
            job.onOutput(chunk);
          } catch (error) {
            failure = error;
            child.kill();
          }
        });
        child.on('error', reject);
        child.on('close', (code, signal) => {
          if (failure !== undefined) reject(failure as Error);
          else if (isInterrupted(signal, log)) {
            reject(new FfmpegInterruptedError(`ffmpeg was told to stop while it read ${job.input.path}`));
          } else {
            // Nothing that ffmpeg wrote says so.
            const seconds = ((performance.now() - begin) / 1000).toFixed(1);
            const end = signal === null ? '' : `\nerror: ffmpeg was ended by ${signal} after ${seconds} s`;
            resolve({ exitCode: code ?? -1, log: log + end });
          }
        });
      });
    },
  };
}
