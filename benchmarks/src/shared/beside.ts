import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { UsageError } from './program.js';
import { runInTurns } from './turns.js';

type Benchmark = 'kernels' | 'loader' | 'model';

/**
 * Where the benchmarks of this checkout and of the one in `folder` are: here, there.
 *
 * @throws UsageError where the folder holds no such benchmark, built, or this program is no checkout's
 */
export function benchmarksOf(folder: string, benchmark: Benchmark): readonly [string, string] {
  const here = fileURLToPath(new URL(`./${benchmark}.js`, import.meta.url));
  if (!existsSync(here)) {
    throw new UsageError(
      '--beside: compares two checkouts, and this command is of neither; in one of them: ' +
        `\`npm run bench:${benchmark} -- --beside ${folder}\``,
    );
  }
  const file = join(folder, 'benchmarks', 'dist', `${benchmark}.js`);
  if (!existsSync(file))
    throw new UsageError(
      `--beside: there is no ${file}; check out a commit there, then \`npm ci && npm run build\``,
    );
  return [here, file];
}

/**
 * Runs a benchmark of this checkout in turn with the one of the same name of the checkout in `folder`, each in a
 * process of its own, and gives the JSON that both wrote: here, there. `args` are the options for both.
 *
 * @throws UsageError where either benchmark is not there; Error where one of them fails
 */
export async function runBeside<T>(
  folder: string,
  benchmark: Benchmark,
  args: readonly string[],
): Promise<readonly [T, T]> {
  const [here, there] = benchmarksOf(folder, benchmark);
  const results = await mkdtemp(join(tmpdir(), 'tubelet-beside-'));
  try {
    const [ours, theirs] = ['here.json', 'there.json'].map((name) => join(results, name)) as [string, string];
    await runInTurns([
      { file: here, args: [...args, '--json', ours] },
      { file: there, args: [...args, '--json', theirs] },
    ]);
    const read = async (file: string) => JSON.parse(await readFile(file, 'utf8')) as T;
    return [await read(ours), await read(theirs)];
  } finally {
    await rm(results, { recursive: true });
  }
}
