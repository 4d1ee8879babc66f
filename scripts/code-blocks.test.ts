// Every block of code in the documents works: programs are checked by TypeScript and run, commands are held to the
// commands that there are, and their options to those that these have.
import { spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, it } from 'vitest';
import { commandNamed } from '../apps/tubelet/src/commands.js';
import { codeBlocks, inlineCommands, shellCommands, writtenPages } from './lib/code-blocks.js';
import { fromSource } from './lib/from-source.js';
import { root } from './lib/root.mjs';

const blocks = codeBlocks();
const programs = blocks.filter(({ language }) => ['ts', 'js'].includes(language));
const scripts = blocks.filter(({ language }) => language === 'sh');

/** Blocks that are not programs of ours, by language. */
const notRun: Readonly<Record<string, string>> = {
  '': 'what a command prints, or a layout of folders',
  csv: 'an example of a file',
  python: 'needs onnxruntime or PyTorch, which are not installed here',
};

it('knows what to do with every block', () => {
  const unknown = blocks.filter(
    (block) => ![...programs, ...scripts].includes(block) && !(block.language in notRun),
  );
  expect(unknown.map(({ place, language }) => `${place}: ${language}`)).toEqual([]);
});

// In no package, so that only the ending says that they are modules.
const folder = join(root, 'node_modules', '.cache', 'tubelet-blocks');
/** One file for each program, however often it is printed, under the place where it is printed first. */
const files = new Map<string, string>();
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });
for (const { place, text } of programs) {
  if ([...files.values()].some((file) => readFileSync(file, 'utf8') === text)) continue;
  const file = join(folder, `${place.replaceAll(/\W/g, '-')}.mts`);
  files.set(place, file);
  writeFileSync(file, text);
}

it('has programs without errors of type', () => {
  const path = join(root, 'tsconfig.json');
  const { config } = ts.readConfigFile(path, ts.sys.readFile) as { config: { compilerOptions: object } };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, root);
  const types = readdirSync(join(root, 'types')).map((name) => join(root, 'types', name));
  const program = ts.createProgram([...files.values(), ...types], options);
  const found = [...files].flatMap(([place, file]) => {
    const source = program.getSourceFile(file);
    return [...program.getSyntacticDiagnostics(source), ...program.getSemanticDiagnostics(source)].map(
      ({ messageText }) => `${place}: ${ts.flattenDiagnosticMessageText(messageText, '\n')}`,
    );
  });
  expect(found).toEqual([]);
});

it('has programs that run', () => {
  const all = join(folder, 'all.mts');
  const lines = [...files].map(([place, file]) => `console.log('> ${place}');\nawait import('${file}');`);
  writeFileSync(all, `${lines.join('\n')}\nconsole.log('> end');\nprocess.exit(0);\n`);
  const cwd = mkdtempSync(join(tmpdir(), 'tubelet-blocks-'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [...fromSource, all], {
    cwd,
    encoding: 'utf8',
  });
  rmSync(cwd, { recursive: true, force: true });
  const last = stdout.match(/^> .*$/gm)?.at(-1);
  expect(status, `${last}: ${stderr}`).toBe(0);
  expect(last).toBe('> end');
});

/** Programs of others that the documents start. */
const others = new Set(['apt-get', 'bash', 'cat', 'cd', 'docker', 'jq', 'mkdir', 'rm', 'tsx', 'unzip']);
const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};

/** What is wrong with a command of `tubelet`; undefined where it would begin its work. */
async function faultOfTubelet([name, ...words]: readonly string[]): Promise<string | undefined> {
  if (name === undefined || /^--(?:help|version)$/.test(name)) return undefined;
  const command = commandNamed(name);
  if (command === undefined) return `tubelet has no command ${name}`;
  // Set-up, doctor, tuning and benchmarks read their words themselves.
  if (command.load === undefined) {
    const sources: Partial<Record<string, string>> = {
      tune: 'benchmarks/src/tune',
      bench: `benchmarks/src/${words[0]}`,
    };
    return faultOfOptions(words, sources[name] ?? 'apps/tubelet/src/commands.ts');
  }
  const tree = await command.load(words);
  const idle = (one: typeof tree): void => {
    one
      .exitOverride()
      .action(() => {})
      .configureOutput({ writeOut: () => {}, writeErr: () => {} });
    one.commands.forEach(idle);
  };
  idle(tree);
  try {
    await tree.parseAsync(words, { from: 'user' });
    return undefined;
  } catch (error) {
    return (error as { exitCode?: number }).exitCode === 0 ? undefined : (error as Error).message;
  }
}

/** Names the first option that the sources of a program do not mention. */
function faultOfOptions(words: readonly string[], path: string): string | undefined {
  const whole = join(root, path);
  const names = path.includes('.') ? [''] : readdirSync(whole, { recursive: true, encoding: 'utf8' });
  const texts = names
    .filter((name) => !name || name.endsWith('.ts'))
    .map((name) => readFileSync(join(whole, name), 'utf8'));
  // Options that several benchmarks share are declared beside them.
  if (path.startsWith('benchmarks'))
    texts.push(readFileSync(join(root, 'benchmarks/src/shared/precision.ts'), 'utf8'));
  const unknown = words.find((word) => word.startsWith('--') && !texts.some((text) => text.includes(word)));
  return unknown && `${path} has no option ${unknown}`;
}

function faultOfNpm([verb = '', name = '', ...rest]: readonly string[]): string | undefined {
  if (['ci', 'init', 'install', 'pkg', 'test'].includes(verb)) return undefined;
  if (verb !== 'run') return `npm ${verb} is not known here`;
  const line = manifest.scripts[name];
  if (line === undefined) return `there is no npm script ${name}`;
  const words = rest.slice(rest.indexOf('--') + 1);
  const built = /(benchmarks|apps\/\w+)\/dist\/([\w-]+)\.js/.exec(line);
  const script = [...line.matchAll(/(?:scripts|benchmarks\/src)\/[\w/-]+\.(?:mjs|ts)/g)].at(-1)?.[0];
  if (built) return faultOfOptions(words, `${built[1]}/src/${built[1] === 'benchmarks' ? built[2] : ''}`);
  return script ? faultOfOptions(words, script) : undefined;
}

async function faultOf(words: readonly string[]): Promise<string | undefined> {
  const start = words.findIndex((word) => !/^\w+=/.test(word));
  let [program, ...rest] = words.slice(start);
  if (program === 'mpirun') {
    const index = rest.findIndex((word) => ['tubelet', 'node'].includes(word));
    [program, ...rest] = index < 0 ? [] : rest.slice(index);
  }
  if (program === 'npx') [program, ...rest] = rest;
  if (program === 'tubelet') return faultOfTubelet(rest);
  if (program === 'npm') return faultOfNpm(rest);
  if (program === 'node') {
    const source = rest[0]!.replace('/dist/', '/src/').replace(/\.js$/, '.ts');
    return existsSync(join(root, source)) ? undefined : `there is no ${source}`;
  }
  if (['tsx', 'vitest'].includes(program ?? '')) return undefined;
  return program === undefined || others.has(program) ? undefined : `${program} is not known here`;
}

it.each(scripts)('has commands that exist at $place', async ({ text }) => {
  const commands = shellCommands(text);
  expect(commands.length).toBeGreaterThan(0);
  const faults = await Promise.all(
    commands.map(async (words) => ({ words: words.join(' '), fault: await faultOf(words) })),
  );
  expect(faults.filter(({ fault }) => fault)).toEqual([]);
});

// Commands in a sentence may leave out what it is not about, and name what the reader puts there in capitals.
const incomplete =
  /missing required argument|required option|argument missing|command COMMAND$|"NAME" cannot/;

it.each(writtenPages())('names commands that exist in the text of %s', async (page) => {
  const commands = inlineCommands(page).flatMap(shellCommands);
  const faults = await Promise.all(
    commands.map(async (words) => ({ words: words.join(' '), fault: await faultOf(words) })),
  );
  expect(faults.filter(({ fault }) => fault && !incomplete.test(fault))).toEqual([]);
});

it('finds what is wrong with a command', async () => {
  const faults = await Promise.all(
    [
      'tubelet trane',
      'tubelet finetune --folds 1',
      'npm run nothing',
      'npm run bench:model -- --fast',
      'make all',
    ]
      .flatMap(shellCommands)
      .map(faultOf),
  );
  expect(faults).toEqual([
    'tubelet has no command trane',
    expect.stringMatching(/unknown option '--folds'/),
    'there is no npm script nothing',
    'benchmarks/src/model has no option --fast',
    'make is not known here',
  ]);
  expect(shellCommands(`a 'b c' | d && e \\\n  f # g\n… h`)).toEqual([
    ['a', 'b c'],
    ['d'],
    ['e', 'f'],
    ['h'],
  ]);
});
