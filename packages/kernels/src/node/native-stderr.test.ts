import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

/** What a process of its own writes to its two outputs; `body` sees the sources of this folder as modules. */
async function run(body: string): Promise<{ stdout: string; stderr: string }> {
  const source = new URL('../../../../scripts/lib/source.mjs', import.meta.url).href;
  const program = `
    import { writeSync } from 'node:fs';
    const { importSource } = await import(${JSON.stringify(source)});
    ${body}`;
  return promisify(execFile)(process.execPath, ['--input-type=module', '-e', program], { timeout: 60_000 });
}

describe.runIf(process.platform === 'linux')('withoutLines', () => {
  const module = `const { withoutLines } = await importSource('packages/kernels/src/node/native-stderr.ts');`;

  it('drops the lines that are expected and passes on all others, before and after included', async () => {
    const { stdout, stderr } = await run(`${module}
      writeSync(2, 'noise: before\\n');
      const value = await withoutLines(/^noise/, () => {
        writeSync(2, 'noise: one\\nreal ü\\nnoise: two\\nno line break');
        return 7;
      });
      writeSync(2, '\\nnoise: after\\n');
      console.log(value);`);
    expect(stderr).toBe('noise: before\nreal ü\nno line break\nnoise: after\n');
    expect(stdout).toBe('7\n');
  });

  it('passes messages and errors on when the body throws', async () => {
    const { stdout, stderr } = await run(`${module}
      try {
        await withoutLines(/^noise/, () => {
          writeSync(2, 'noise\\nreal\\n');
          throw new Error('wrong turn');
        });
      } catch (error) {
        console.log(error.message);
      }
      writeSync(2, 'after\\n');`);
    expect(stderr).toBe('real\nafter\n');
    expect(stdout).toBe('wrong turn\n');
  });

  it('works without a temporary folder', async () => {
    const { stderr } = await run(`${module}
      process.env.TMPDIR = '/nowhere';
      await withoutLines(/^noise/, () => writeSync(2, 'noise\\n'));`);
    expect(stderr).toBe('noise\n');
  });
});

it('a program that opens the GPU does not begin with warnings about limits', async () => {
  const { stderr } = await run(`
    const node = await importSource('packages/kernels/src/node/index.ts');
    const runtime = await node.openNodeRuntime();
    node.closeNodeRuntime(runtime);`);
  expect(stderr).not.toContain('artificially reduced');
});
