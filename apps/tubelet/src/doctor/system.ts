import { execFile } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';

/** What the doctor asks of the machine; tests describe another one. */
export interface System {
  platform: NodeJS.Platform;
  env: NodeJS.ProcessEnv;
  exists(path: string): boolean;
  /** Entries of a folder; none when it is not there. */
  list(path: string): string[];
  /** What a command prints, or undefined when it is not there, fails, or takes over 10 seconds. */
  run(command: string, args: string[]): Promise<string | undefined>;
}

/** The machine that this process runs on. */
export const thisSystem: System = {
  platform: process.platform,
  env: process.env,
  exists: existsSync,
  list: (path) => (existsSync(path) ? readdirSync(path) : []),
  run: (command, args) =>
    new Promise((resolve) => {
      execFile(command, args, { timeout: 10_000 }, (error, stdout) => resolve(error ? undefined : stdout));
    }),
};

/** One thing the doctor found out. */
export interface Finding {
  /** `missing`: something works less well, or not at all; `remedy` says what to do about it. */
  level: 'ok' | 'missing';
  topic: string;
  text: string;
  remedy: string[];
}

export function ok(topic: string, text: string): Finding {
  return { level: 'ok', topic, text, remedy: [] };
}

export function missing(topic: string, text: string, remedy: string[]): Finding {
  return { level: 'missing', topic, text, remedy };
}
