// Packs every package that is published and checks what is in it: that it has its README and licence, and no tests; that
// its entries and their types are found by all who look for them (publint, Are the types wrong?).
//
//   npm run check:packages
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { pack, publishedPackages, type Packed } from './lib/packed.js';
import { runCommand } from '../apps/tubelet/src/setup/index.js';

const attwManifest = createRequire(import.meta.url).resolve('@arethetypeswrong/cli/package.json');
const { bin } = JSON.parse(readFileSync(attwManifest, 'utf8')) as { bin: { attw: string } };
const attw = join(dirname(attwManifest), bin.attw);

/** What is wrong with the files of a package. */
function problemsOfFiles(files: Packed['files']): string[] {
  const names = files.map(({ path }) => path);
  const missing = ['README.md', 'LICENSE'].filter((name) => !names.includes(name));
  const tests = names.filter((name) => /\.test\.[jt]s$/.test(name));
  const unmapped = names.filter((name) => /^dist\/.*\.js$/.test(name) && !names.includes(`${name}.map`));
  return [
    ...missing.map((name) => `there is no ${name}`),
    ...tests.map((name) => `${name} is a test`),
    ...unmapped.map((name) => `${name} has no source map`),
  ];
}

const folder = mkdtempSync(join(tmpdir(), 'tubelet-packages-'));
try {
  let bad = 0;
  for (const manifest of publishedPackages()) {
    const { path, files, size } = await pack(manifest.folder, folder);
    const tarball = readFileSync(path);
    const { messages, pkg } = await publint({
      strict: true,
      pack: { tarball: tarball.buffer.slice(tarball.byteOffset, tarball.byteOffset + tarball.length) },
    });
    const problems = [
      ...problemsOfFiles(files),
      ...messages.map((message) => formatMessage(message, pkg) ?? message.code),
    ];
    // A package of nothing but a command has no entries, and so no types.
    if (manifest.exports) {
      const args = [attw, path, '--profile', 'esm-only', '--format', 'ascii', '--no-emoji'];
      const { code, stdout } = await runCommand(process.execPath, args, { allowFailure: true });
      if (code !== 0) problems.push(stdout);
    }
    const kilobytes = Math.round(size / 1000);
    console.log(`${manifest.name} ${manifest.version}: ${files.length} files, ${kilobytes} kB packed`);
    for (const problem of problems) console.error(`  ${problem}`);
    bad += problems.length;
  }
  if (bad > 0) throw new Error(`${bad} problems`);
  console.log('publint and attw find nothing to mend');
} catch (error) {
  console.error((error as Error).message);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
