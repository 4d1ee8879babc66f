// Uses the packages as projects outside of this repository do: packed, in an empty folder, with an empty home. What the
// README of each package shows is run in Node, and one of them in a page that Vite builds; TypeScript checks every
// entry with the libraries' own types; the command is started from where `npm install --global` would put it.
//
//   npm run test:packages                  packages of others and the driver are those that are installed here; a
//                                          Chromium is fetched where there is none
//   npm run test:packages -- --registry    npm installs everything, and the command all that it needs, on a machine
//                                          that seems to have no Vulkan driver: some 700 MB are fetched
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
import { cacheDirectory } from '@tubelet/kernels/node';
import { demoClips } from './lib/demo-clips.js';
import { pack, publishedPackages, type PublishedPackage } from './lib/packed.js';
import { require } from './lib/require.js';
import { root } from './lib/root.mjs';
import { runCommand, runNpm } from '../apps/tubelet/src/setup/index.js';
import { runPage } from './lib/vite-page.js';

const say = (line: string) => console.log(`[packages] ${line}`);
const HANGING_MS = 1_200_000;

const unknown = process.argv.slice(2).filter((word) => word !== '--registry');
if (unknown.length > 0) {
  console.error(`Unknown option ${unknown[0]}; the only one is --registry.`);
  process.exit(2);
}
const isFromRegistry = process.argv.includes('--registry');

type Environment = Record<string, string | undefined>;

interface PackedPackage extends PublishedPackage {
  /** The path of its tarball. */
  readonly tarball: string;
}

/** Makes `modules` hold the packages of others that are installed here, and ours out of their tarballs. */
async function layOut(modules: string, packed: readonly PackedPackage[]): Promise<void> {
  const linkFolder = (from: string, to: string) => {
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
async function install(
  project: string,
  packed: readonly PackedPackage[],
  { isGlobal, env }: { isGlobal: boolean; env: Environment },
): Promise<void> {
  if (!isFromRegistry) {
    await layOut(isGlobal ? join(project, 'lib', 'node_modules') : join(project, 'node_modules'), packed);
    return;
  }
  const where = isGlobal ? ['--global', '--prefix', project] : [];
  const tools = isGlobal ? [] : ['typescript@6.0.3', '@types/node@20', 'vite@8.3.8', 'tsx'];
  const args = ['install', ...where, ...packed.map(({ tarball }) => tarball), ...tools];
  say(`npm install${isGlobal ? ' --global' : ''}: ${packed.length} tarballs and what they need …`);
  const { stdout } = await runNpm(args, { cwd: project, env, timeoutMs: HANGING_MS });
  say(`npm install: ${/^added .*$/m.exec(stdout)?.[0]}`);
}

interface Place {
  readonly cwd: string;
  readonly env: Environment;
}

function run(file: string, words: readonly string[], { cwd, env }: Place) {
  const { status, signal, stdout, stderr } = spawnSync(process.execPath, [file, ...words], {
    cwd,
    env,
    encoding: 'utf8',
    timeout: HANGING_MS,
    killSignal: 'SIGKILL',
  });
  return { status: status ?? signal, stdout, stderr, output: `${stdout}${stderr}` };
}

/** The programs of a package's README. */
const programsOf = ({ folder }: PublishedPackage): string[] =>
  [...readFileSync(join(folder, 'README.md'), 'utf8').matchAll(/^```js\n(.*?)^```$/gms)].map(
    ([, text = '']) => text,
  );

/** The programs of the guide to a first kernel, by the names that it gives them. */
const guide: Readonly<Record<string, string>> = Object.fromEntries(
  [
    ...readFileSync(join(root, 'docs', 'writing-a-kernel.md'), 'utf8').matchAll(
      /^```ts\n(.*?)^```\n\n```sh\nnpx tsx (\S+)\n```$/gms,
    ),
  ].map(([, text = '', name = '']) => [name, text]),
);

/** Follows the guide, whose `tsx` only the registry has. */
function runGuide(project: string, env: Environment): void {
  const tsx = createRequire(join(project, 'package.json')).resolve('tsx/cli');
  for (const [name, text] of Object.entries(guide)) {
    writeFileSync(join(project, name), text);
    const { status, stdout, output } = run(tsx, [name], { cwd: project, env });
    require(status === 0, `${name} of the guide ends with ${status}`, output);
    say(`${name} of the guide: ${stdout.trim().split('\n').at(-1)}`);
  }
}

/** @returns the lines that the program of `@tubelet/autograd` writes */
function runReadmes(project: string, packed: readonly PackedPackage[], env: Environment): string[] {
  let training: string[] = [];
  for (const one of packed) {
    for (const [i, text] of programsOf(one).entries()) {
      const file = join(project, `${one.name.replace(/\W/g, '-')}-${i}.mjs`);
      writeFileSync(file, text);
      const { status, stdout, output } = run(file, [], { cwd: project, env });
      require(status === 0, `the README of ${one.name} ends with ${status}`, output);
      const lines = stdout.trim().split('\n');
      say(`README of ${one.name}: ${lines.at(-1)}`);
      if (one.name === '@tubelet/autograd') training = lines;
    }
  }
  return training;
}

/** Runs the program of `@tubelet/autograd` in a page: its losses must be those of Node, on another driver. */
async function runInPage(
  project: string,
  packed: readonly PackedPackage[],
  inNode: readonly string[],
  env: Environment,
): Promise<void> {
  const autograd = packed.find(({ name }) => name === '@tubelet/autograd');
  const text = autograd && programsOf(autograd)[0];
  if (text === undefined) throw new Error('the README of @tubelet/autograd has no program');
  const lossesOf = (lines: readonly string[]) =>
    lines.flatMap((line) => /^step \d+: loss (\S+)$/.exec(line)?.[1] ?? []).map(Number);
  const lines = await runPage({
    ...{ project, env, say, cache: cacheDirectory(), limitMs: HANGING_MS },
    program: text.replace("'@tubelet/autograd/node'", "'@tubelet/autograd'"),
    end: /^step 300:/,
  });
  const [there, here] = [lossesOf(lines), lossesOf(inNode)];
  const worst = Math.max(...here.map((loss, i) => Math.abs((there[i] ?? NaN) / loss - 1)));
  require(there.length === 3 && worst < 1e-3, `losses in Node are ${here.join(', ')}`, lines.join('\n'));
  say(`in a page: ${lines.at(-1)}, at most ${worst.toExponential(1)} from Node's`);
}

/** Writes a classifier with random weights, as a program on the packages would. */
const CLASSIFIER = `
import { Engine, readStateDict } from '@tubelet/autograd';
import { closeNodeRuntime, openNodeRuntime } from '@tubelet/kernels/node';
import { Classifier, lgiFormer } from '@tubelet/mae-dfer';
import { saveCheckpoint } from '@tubelet/trainer/formats';

const size = { imageSize: 64, frames: 4, dim: 32, depth: 2, heads: 2, region: [1, 2, 4] };
const model = { encoder: lgiFormer('tiny', size), classes: 3, pooling: 'representative' };
const runtime = await openNodeRuntime();
const classifier = new Classifier(new Engine(runtime), model, { headScale: 50 });
classifier.initialise(0);
const description = {
  ...{ model, classNames: ['glad', 'calm', 'sad'] },
  ...{ clips: { frameStep: 4, crop: 'none' }, data: { name: 'csv', fold: 1 } },
};
const metadata = { 'tubelet.classifier': JSON.stringify(description) };
await saveCheckpoint(process.argv[2], { tensors: await readStateDict(classifier.store), metadata });
closeNodeRuntime(runtime);
`;

function writeClassifier(project: string, env: Environment): string {
  const program = join(project, 'classifier.mjs');
  const path = join(project, 'step-00000001.safetensors');
  writeFileSync(program, CLASSIFIER);
  const { status, output } = run(program, [path], { cwd: project, env });
  require(status === 0, 'a classifier', output);
  return path;
}

/** Without an adapter the error must tell what can be done where the reader is. */
function runWithoutAdapter(project: string, env: Environment): void {
  const file = join(project, 'without.mjs');
  writeFileSync(file, "import { open } from '@tubelet/autograd/node';\nawait open();\n");
  const { status, output } = run(file, [], { cwd: project, env: { ...env, TUBELET_VULKAN: 'swiftshader' } });
  require(status !== 0 && output.includes('npx tubelet setup'), 'no remedy is named', output);
  say('without an adapter: npx tubelet setup and npx tubelet doctor are named');
}

/** CommonJS finds every package: `require` loads it or, in a Node that cannot yet, says that it is a module. */
function runFromCommonJs(project: string, packed: readonly PackedPackage[], env: Environment): void {
  const names = packed.filter(({ exports }) => exports).map(({ name }) => name);
  const file = join(project, 'required.cjs');
  const line = (name: string) =>
    `try { require('${name}'); } catch (error) { if (error.code !== 'ERR_REQUIRE_ESM') throw error; }`;
  writeFileSync(file, names.map(line).join('\n'));
  const { status, output } = run(file, [], { cwd: project, env });
  require(status === 0, 'a package is not found from CommonJS', output);
  say(`CommonJS: ${names.length} packages are found`);
}

function checkTypes(project: string, packed: readonly PackedPackage[], env: Environment): void {
  const entries = packed.flatMap(({ name, exports = {} }) =>
    Object.keys(exports).map((entry) => `${name}${entry.slice(1)}`),
  );
  const texts: Record<string, string> = {
    ...guide,
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

/** @param commands words of each, with what its output must have */
function runCommands(
  prefix: string,
  commands: readonly (readonly [words: readonly string[], expected: RegExp])[],
  { env, cwd }: Place,
): void {
  const file = join(prefix, 'lib', 'node_modules', 'tubelet', 'bin', 'tubelet.mjs');
  for (const [words, expected] of commands) {
    const { status, output } = run(file, words, { cwd, env });
    require(status === 0 && expected.test(output), `tubelet ${words.join(' ')} ends with ${status}`, output);
    say(`tubelet ${words.join(' ')}: ${expected.exec(output)?.[0].split('\n').at(-1)}`);
  }
}

/** Which registry npm asks and how it proves itself there are settings of this machine. */
async function settingsOfNpm(): Promise<Environment> {
  const settings: Environment = {};
  for (const name of ['userconfig', 'globalconfig']) {
    const { stdout } = await runNpm(['config', 'get', name]);
    settings[`NPM_CONFIG_${name.toUpperCase()}`] = stdout.trim();
  }
  return settings;
}

const folder = mkdtempSync(join(tmpdir(), 'tubelet-outside-'));
try {
  const made = (name: string) => {
    mkdirSync(join(folder, name));
    return join(folder, name);
  };
  const home = made('home');
  const tarballs = made('tarballs');
  const packed: PackedPackage[] = [];
  for (const manifest of publishedPackages()) {
    packed.push({ ...manifest, tarball: (await pack(manifest.folder, tarballs)).path });
  }
  const kept = ['PATH', 'LANG', 'TMPDIR', 'SystemRoot'];
  // What this machine has fetched and compiled serves again.
  if (!isFromRegistry) kept.push('MESA_SHADER_CACHE_DIR');
  const env: Environment = Object.fromEntries(
    kept.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : [])),
  );
  Object.assign(env, { HOME: home, USERPROFILE: home });
  // Without these, the loader of Vulkan finds no driver that is installed in the usual places.
  if (isFromRegistry)
    Object.assign(env, await settingsOfNpm(), { XDG_DATA_DIRS: home, XDG_CONFIG_DIRS: home });
  const withDriver = isFromRegistry ? env : { ...env, TUBELET_CACHE_DIR: cacheDirectory() };

  const prefix = made('prefix');
  await install(prefix, packed, { isGlobal: true, env });
  const project = made('project');
  writeFileSync(join(project, 'package.json'), '{ "name": "outside", "private": true, "type": "module" }\n');
  await install(project, packed, { isGlobal: false, env });

  runWithoutAdapter(project, env);
  const inHome = { env: withDriver, cwd: home };
  runCommands(
    prefix,
    [
      [['--version'], /^\d+\.\d+\.\d+$/m],
      [
        ['setup'],
        isFromRegistry ? /^\[setup\] GPU: .*(llvmpipe|swiftshader).* unpacked /im : /^\[setup\] GPU: /m,
      ],
      [['doctor'], /^GPU\n {2}· adapter: /m],
      [['study', 'table-2', '--plan'], /^epochs +pretrain +to do/m],
    ],
    inHome,
  );
  await runInPage(project, packed, runReadmes(project, packed, withDriver), env);
  runFromCommonJs(project, packed, env);
  checkTypes(project, packed, env);

  if (isFromRegistry) {
    runGuide(project, withDriver);
    const [, clip = ''] = await demoClips(cacheDirectory(), say);
    const predict = ['predict', clip, '--checkpoint', writeClassifier(project, withDriver)];
    runCommands(
      prefix,
      [
        [predict, /^ {2}(glad|calm|sad) +[\d.]+ %/m],
        // What it says of its work is behind what it answers.
        [
          [...predict, '--crop', 'face'],
          /person 1, mean of [^]*^ {2}(glad|calm|sad) [^]*installing the face detector/m,
        ],
      ],
      inHome,
    );
  } else runCommands(prefix, [[['predict', '--help'], /^Usage: tubelet predict /m]], inHome);
} catch (error) {
  console.error(`[packages] ${(error as Error).message}`);
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
