import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkpointPath, listCheckpoints } from '../formats/checkpoint-folder.js';
import { readLog } from '../run/run-log.js';
import { bundleProgram } from '../testing/bundle.js';

const TOTAL_STEPS = 11;

let folder = '';
let program = '';
let wanted: Buffer = Buffer.alloc(0);

interface Outcome {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly lines: string[];
  readonly errors: string;
}

/** Runs the toy program; at the line `at` it is sent `signals`, one after the other. */
async function runToy(
  parameters: readonly string[],
  at?: string,
  ...signals: NodeJS.Signals[]
): Promise<Outcome> {
  return observe(process.execPath, [program, ...parameters], at, signals);
}

async function observe(
  command: string,
  parameters: readonly string[],
  at: string | undefined,
  signals: NodeJS.Signals[],
): Promise<Outcome> {
  const child = spawn(command, parameters, { stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
  const send = (): void => {
    const signal = signals.shift();
    if (signal && child.pid !== undefined) process.kill(child.pid, signal);
  };
  let errors = '';
  child.stderr.on('data', (part: Buffer) => {
    errors += part.toString();
    // The first signal has been understood.
    if (part.toString().includes('finishing this step')) send();
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (line === at) send();
  }
  const [exitCode, signal] = await ended;
  return { exitCode, signal, lines, errors };
}

async function stepsLogged(directory: string): Promise<number[]> {
  const steps: number[] = [];
  for await (const { type, step } of readLog(join(directory, 'log.jsonl')))
    if (type === 'step') steps.push(step);
  return steps;
}

const ALL_STEPS = Array.from({ length: TOTAL_STEPS }, (_, i) => i + 1);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tubelet-trainer-'));
  program = await bundleProgram('toy-program', folder);
  const { exitCode, lines } = await runToy([join(folder, 'whole'), String(TOTAL_STEPS), '3']);
  expect(exitCode).toBe(0);
  expect(lines.at(-1)).toBe(`finished ${TOTAL_STEPS}`);
  wanted = await readFile(checkpointPath(join(folder, 'whole'), TOTAL_STEPS));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

describe('a run that is killed', () => {
  it.each([1, 3, 5, 10])(
    'in step %s and resumed ends with the same bytes and a whole log',
    async (slowStep) => {
      const directory = join(folder, `killed-${slowStep}`);
      const killed = await runToy(
        [directory, String(TOTAL_STEPS), '3', String(slowStep)],
        `step ${slowStep}`,
        'SIGKILL',
      );
      expect(killed.signal).toBe('SIGKILL');
      const resumed = await runToy([directory, String(TOTAL_STEPS), '3']);
      expect(resumed.exitCode).toBe(0);
      expect(resumed.lines[0]).toBe(`step ${Math.floor(slowStep / 3) * 3}`);
      expect((await readFile(checkpointPath(directory, TOTAL_STEPS))).equals(wanted)).toBe(true);
      expect(await stepsLogged(directory)).toEqual(ALL_STEPS);
    },
  );
});

describe('a run that is stopped', () => {
  it.each(['SIGINT', 'SIGTERM', 'SIGUSR1'] as const)(
    'by %s finishes its step and can be resumed',
    async (signal) => {
      const directory = join(folder, signal);
      const stopped = await runToy([directory, String(TOTAL_STEPS), '100', '4'], 'step 4', signal);
      expect(stopped).toMatchObject({ exitCode: 0, signal: null });
      expect(stopped.lines.at(-1)).toBe('stopped 5');
      expect(stopped.errors).toContain(`${signal}: finishing this step`);
      expect((await listCheckpoints(directory)).map(({ step }) => step)).toEqual([5]);
      const resumed = await runToy([directory, String(TOTAL_STEPS), '100']);
      expect(resumed.lines.slice(0, 1)).toEqual(['step 5']);
      expect((await readFile(checkpointPath(directory, TOTAL_STEPS))).equals(wanted)).toBe(true);
      expect(await stepsLogged(directory)).toEqual(ALL_STEPS);
    },
  );
});

describe('a run that is told twice to stop', () => {
  it.each([
    ['SIGINT', 130],
    ['SIGTERM', 143],
  ] as const)('by %s ends at once and leaves its checkpoints', async (signal, expected) => {
    const directory = join(folder, `twice-${signal}`);
    const parameters = [directory, String(TOTAL_STEPS), '3', '7', 'deaf'];
    const { exitCode, lines } = await runToy(parameters, 'step 7', signal, signal);
    expect(exitCode).toBe(expected);
    expect(lines.at(-1)).toBe('step 7');
    expect((await listCheckpoints(directory)).map(({ step }) => step)).toEqual([6, 3]);
  });
});

describe('a run that may not write any more', () => {
  it('says so, exits with 1, leaves whole lines, and can be resumed', async () => {
    const directory = join(folder, 'limited');
    // No file may grow beyond 2 blocks of 512 bytes: the log gets there within a few steps.
    const script = 'ulimit -f 2 && exec "$@"';
    const command = [process.execPath, program, directory, String(TOTAL_STEPS), '3'];
    const { exitCode, errors } = await observe('sh', ['-c', script, 'sh', ...command], undefined, []);
    expect(errors).toMatch(
      new RegExp(`error: cannot write ${directory}/[^\n]* \\(needed \\d+ bytes, free \\d+`),
    );
    expect(errors).not.toContain('    at ');
    expect(exitCode).toBe(1);
    expect(await readFile(join(directory, 'log.jsonl'), 'utf8')).toMatch(/}\n$/);
    expect((await listCheckpoints(directory)).length).toBeGreaterThan(0);
    expect((await runToy([directory, String(TOTAL_STEPS), '3'])).exitCode).toBe(0);
    expect((await readFile(checkpointPath(directory, TOTAL_STEPS))).equals(wanted)).toBe(true);
    expect(await stepsLogged(directory)).toEqual(ALL_STEPS);
  });
});

describe('a program that fails', () => {
  it('says which value is wrong, without a stack trace, and exits with 2', async () => {
    const { exitCode, errors } = await runToy([join(folder, 'bad'), '0', '3']);
    expect(exitCode).toBe(2);
    expect(errors).toBe('error: TOTAL_STEPS: "0" cannot be used; expected a whole number of at least 1\n');
  });

  it('says that the folder cannot be used, and exits with 1', async () => {
    const { exitCode, errors } = await runToy([join(program, 'run'), '3', '3']);
    expect(exitCode).toBe(1);
    expect(errors).toMatch(/^error: cannot write .*run/);
    expect(errors).not.toContain('    at ');
  });
});
