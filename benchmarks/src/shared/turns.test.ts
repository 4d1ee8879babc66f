import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInTurns, takeTurn } from './turns.js';

// What `takeTurn` does, in a file that needs no build; writes when a turn of some milliseconds begins and ends.
const PROGRAM = `
  import { appendFileSync } from 'node:fs';
  import { once } from 'node:events';
  const [log, name, turns] = process.argv.slice(2);
  for (let i = 0; i < Number(turns); i++) {
    const turn = once(process, 'message');
    process.send('waits for its turn');
    await turn;
    appendFileSync(log, name + i + '(');
    await new Promise((resolve) => setTimeout(resolve, 5));
    appendFileSync(log, ')');
  }
  if (name === 'fails') {
    for (let line = 0; line < 9; line++) console.error('line ' + line);
    process.exit(3);
  }
  process.disconnect();
`;

describe('turns', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'tubelet-turns-'));
    await writeFile(join(folder, 'program.mjs'), PROGRAM);
  });
  afterEach(() => rm(folder, { recursive: true }));

  const run = (...programs: readonly (readonly [name: string, turns: number])[]) =>
    runInTurns(
      programs.map(([name, turns]) => ({
        file: join(folder, 'program.mjs'),
        args: [join(folder, 'log'), name, String(turns)],
      })),
    );

  it('are taken one at a time, each program after the other, by the longer one alone in the end', async () => {
    await run(['a', 2], ['b', 4]);
    expect(await readFile(join(folder, 'log'), 'utf8')).toBe('a0()b0()a1()b1()b2()b3()');
  });

  it('end with an error that names the program which failed, with its last lines, or took none', async () => {
    await expect(run(['a', 1], ['fails', 1])).rejects.toThrow(
      /program\.mjs ended with exit code 3\nline 4\nline 5\nline 6\nline 7\nline 8$/,
    );
    await expect(run(['a', 1], ['b', 0])).rejects.toThrow(/program\.mjs takes no turns/);
  });

  it('are waited for no longer than the program that gives them runs', async () => {
    const file = join(folder, 'waits.mts');
    const turns = new URL('./turns.ts', import.meta.url).href;
    await writeFile(
      file,
      `import { takeTurn } from ${JSON.stringify(turns)};
      setInterval(() => undefined, 1000);
      await takeTurn(async () => undefined);`,
    );
    const loader = new URL('../../../scripts/typescript.mjs', import.meta.url).href;
    const child = fork(file, [], {
      execArgv: ['--import', loader],
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      env: { ...process.env, TUBELET_BENCHMARK_TURNS: '1' },
    });
    const ended = once(child, 'exit');
    expect(await Promise.race([once(child, 'message'), ended])).toEqual(['waits for its turn', undefined]);
    child.disconnect();
    expect(await ended).toEqual([1, null]);
  });

  it('are not waited for in a program that runs alone', async () => {
    expect(await takeTurn(async () => 7)).toBe(7);
  });
});
