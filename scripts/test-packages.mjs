// Uses the packages as projects outside of this repository do: packed, in an empty folder, with an empty home. What the
// README of each package shows is run in Node; TypeScript checks every entry with the libraries' own types; the command
// is started from where `npm install --global` would put it.
//
//   npm run test:packages                  nothing is fetched: packages of others are those that are installed here
//   npm run test:packages -- --registry    everything is installed by npm
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pack, publishedPackages } from './lib/packed.mjs';
import { root } from './lib/root.mjs';
import { importSource } from './lib/source.mjs';
import { runCommand, runNpm } from './lib/setup.mjs';

const say = (line) => console.log(`[packages] ${line}`);
const HANGING_MS = 300_000;
const { cacheDirectory } = await importSource('packages/kernels/src/node/index.ts');

const unknown = process.argv.slice(2).filter((word) => word !== '--registry');
if (unknown.length > 0) {
  console.error(`Unknown option ${unknown[0]}; the only one is --registry.`);
  process.exit(2);
}
const isFromRegistry = process.argv.includes('--registry');

/** Makes `modules` hold the packages of others that are installed here, and ours out of their tarballs. */
async function layOut(modules, packed) {
  const linkFolder = (from, to) => {
    mkdirSync(to, { recursive: true });
    for (const name of readdirSync(from)) {
      if (name.startsWith('.') || name === '@tubelet' || name === 'tubelet') continue;
      if (name.startsWith('@')) linkFolder(join(from, name), join(to, name));
      else if (!existsSync(join(to, name))) symlinkSync(join(from, name), join(to, name));
    }
  };
  for (const { name, folder, tarball } of packed) {
    const place = join(modules, name);
    mkdirSync(place, { recursive: true });
    await runCommand('tar', ['-xzf', tarball, '--strip-components=1', '-C', place]);
    const own = join(folder, 'node_modules');
    if (existsSync(own)) linkFolder(own, join(place, 'node_modules'));
  }
  linkFolder(join(root, 'node_modules'), modules);
}

/** Installs the packages into a project, or with `prefix` the command for all of a machine's users. */
async function install(project, packed, { isGlobal, env }) {
  if (!isFromRegistry) {
    await layOut(isGlobal ? join(project, 'lib', 'node_modules') : join(project, 'node_modules'), packed);
    return;
  }
  const where = isGlobal ? ['--global', '--prefix', project] : [];
  const tools = isGlobal ? [] : ['typescript@6.0.3', '@types/node@20'];
  const args = ['install', ...where, ...packed.map(({ tarball }) => tarball), ...tools];
  await runNpm([...args, '--no-audit', '--no-fund'], { cwd: project, env, timeoutMs: 900_000 });
}

function run(file, words, { cwd, env }) {
  const options = { cwd, env, encoding: 'utf8', timeout: HANGING_MS, killSignal: 'SIGKILL' };
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [file, ...words], options);
  return { status: status ?? signal, stdout, stderr, output: `${stdout}${stderr}` };
}

function require(isTrue, what, output) {
  if (!isTrue) throw new Error(`${what}:\n${output}`);
}

/** The programs of a package's README. */
const programsOf = ({ folder }) =>
  [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(
    ([, text]) => text,
  );

function runReadmes(project, packed, env) {
  for (const one of packed) {
    for (const [i, text] of programsOf(one).entries()) {
      const file = join(project, `${one.name.replace(/\W/g, '-')}-${i}.mjs`);
      writeFileSync(file, text);
      const { status, stdout, output } = run(file, [], { cwd: project, env });
      require(status === 0, `the README of ${one.name} ends with ${status}`, output);
      say(`README of ${one.name}: ${stdout.trim().split('\n').at(-1)}`);
    }
  }
}

/** Without an adapter the error must tell what can be done where the reader is. */
function runWithoutAdapter(project, env) {
  const file = join(project, 'without.mjs');
  writeFileSync(file, "import { open } from '@tubelet/autograd/node';\nawait open();\n");
  const { status, output } = run(file, [], { cwd: project, env: { ...env, TUBELET_VULKAN: 'swiftshader' } });
  require(status !== 0 && output.includes('npx tubelet setup'), 'no remedy is named', output);
  say('without an adapter: npx tubelet setup and npx tubelet doctor are named');
}

function checkTypes(project, packed, env) {
  const entries = packed.flatMap(({ name, exports = {} }) =>
    Object.keys(exports).map((entry) => `${name}${entry.slice(1)}`),
  );
  const texts = {
    'entries.ts': [
      ...entries.map((entry, i) => `import * as entry${i} from '${entry}';`),
      `export const entries = [${entries.map((_, i) => `entry${i}`).join(', ')}];`,
    ].join('\n'),
  };
  for (const one of packed) {
    for (const [i, text] of programsOf(one).entries())
      texts[`${one.name.replace(/\W/g, '-')}-${i}.ts`] = text;
  }
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(project, name), text);
  const tsc = createRequire(join(project, 'package.json')).resolve('typescript/bin/tsc');
  for (const [module, moduleResolution] of [
    ['NodeNext', 'NodeNext'],
    ['ESNext', 'Bundler'],
  ]) {
    const compilerOptions = {
      ...{ module, moduleResolution, target: 'ES2022', strict: true, noEmit: true, skipLibCheck: false },
      types: ['node'],
    };
    writeFileSync(
      join(project, 'tsconfig.json'),
      JSON.stringify({ compilerOptions, files: Object.keys(texts) }),
    );
    const { status, output } = run(tsc, ['-p', '.'], { cwd: project, env });
    require(status === 0, `TypeScript with ${moduleResolution}`, output);
    say(`TypeScript, ${moduleResolution}, skipLibCheck off: ${entries.length} entries`);
  }
}

function runCommands(prefix, env, cwd) {
  const file = join(prefix, 'lib', 'node_modules', 'tubelet', 'bin', 'tubelet.mjs');
  for (const [words, expected] of [
    [['--version'], /^\d+\.\d+\.\d+$/m],
    [['setup'], /^\[setup\] GPU: /m],
    [['doctor'], /^GPU\n {2}· adapter: /m],
    [['predict', '--help'], /^Usage: tubelet predict /m],
    [['study', 'table-2', '--plan'], /^epochs +pretrain +to do/m],
  ]) {
    const { status, output } = run(file, words, { cwd, env });
    require(status === 0 && expected.test(output), `tubelet ${words.join(' ')} ends with ${status}`, output);
    say(`tubelet ${words.join(' ')}: ${expected.exec(output)[0].split('\n').at(-1)}`);
  }
}

const folder = mkdtempSync(join(tmpdir(), 'tubelet-outside-'));
try {
  const made = (name) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const home = made('home');
  const tarballs = made('tarballs');
  const packed = [];
  for (const manifest of publishedPackages()) {
    packed.push({ ...manifest, tarball: (await pack(manifest.folder, tarballs)).path });
  }
  const kept = ['PATH', 'LANG', 'TMPDIR', 'SystemRoot', 'MESA_SHADER_CACHE_DIR'];
  const env = Object.fromEntries(
    kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  Object.assign(env, { HOME: home, USERPROFILE: home });
  // The driver that set-up has fetched is used again: it has 185 MB.
  const withDriver = { ...env, TUBELET_CACHE_DIR: cacheDirectory() };

  const project = made('project');
  writeFileSync(join(project, 'package.json'), '{ "name": "outside", "private": true, "type": "module" }\n');
  await install(project, packed, { isGlobal: false, env });
  runReadmes(project, packed, withDriver);
  runWithoutAdapter(project, env);
  checkTypes(project, packed, env);

  const prefix = made('prefix');
  await install(prefix, packed, { isGlobal: true, env });
  runCommands(prefix, withDriver, home);
} catch (error) {
  console.error(`[packages] ${error.message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
