import { createReadStream, createWriteStream, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import type { UnpackedDriver } from './drivers.js';
import { runCommand, runNpm } from './run-command.js';

/** An npm package of a headless Chromium, whose software Vulkan driver is all that is taken of it. */
const source = '@sparticuz/chromium';
const version = '153.0.0';

/**
 * Fetches SwiftShader out of an npm package and unpacks it below `staging`. Slower than llvmpipe and
 * without `shader-f16`, but there for every x64 Linux with npm.
 *
 * @param staging an empty folder
 * @throws Error on other processors and systems; CommandError when npm or tar fails
 */
export async function unpackSwiftShader(staging: string): Promise<UnpackedDriver> {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Error(`the package has it for x64 Linux only, this is ${process.arch} ${process.platform}`);
  }
  const work = join(staging, 'npm');
  mkdirSync(work);
  const args = ['pack', `${source}@${version}`, '--pack-destination', work];
  await runNpm(args, { cwd: work, timeoutMs: 600_000 });
  const archive = readdirSync(work).find((name) => name.endsWith('.tgz'));
  if (!archive) throw new Error(`npm pack ${source} left no archive`);
  const packed = 'package/bin/swiftshader.tar.br';
  await runCommand('tar', ['-xzf', join(work, archive), '-C', work, packed]);
  const tar = join(work, 'swiftshader.tar');
  await pipeline(createReadStream(join(work, packed)), createBrotliDecompress(), createWriteStream(tar));
  const folder = join(staging, 'swiftshader');
  mkdirSync(folder);
  await runCommand('tar', ['-xf', tar, '-C', folder]);
  // OpenGL's libraries come along; they need a display server's and are not loaded here.
  for (const name of readdirSync(folder)) {
    if (!/^lib(vk_swiftshader|vulkan)\.so/.test(name)) rmSync(join(folder, name));
  }
  rmSync(work, { recursive: true });
  return {
    name: 'swiftshader',
    version,
    icd: 'swiftshader_icd.json',
    driverFile: 'libvk_swiftshader.so',
    folder,
  };
}
