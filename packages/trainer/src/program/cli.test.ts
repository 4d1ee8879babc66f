import { describe, expect, it } from 'vitest';
import { exitCodeOf, type CliOptions } from './cli.js';
import { OptionError, UserError } from '../errors.js';

class ForeignError extends Error {}

async function outcome(thrown: unknown, options: CliOptions = {}): Promise<{ code: number; text: string }> {
  let text = '';
  const code = await exitCodeOf(() => Promise.reject(thrown), {
    argv: [],
    env: {},
    writeError: (part) => (text += part),
    ...options,
  });
  return { code, text };
}

describe('exitCodeOf', () => {
  it('is what the program gives, or 0', async () => {
    expect(await exitCodeOf(async () => undefined)).toBe(0);
    expect(await exitCodeOf(async () => 3)).toBe(3);
  });

  it('shows errors that the user can mend as their message alone', async () => {
    expect(await outcome(new UserError('no videos in films/'))).toEqual({
      code: 1,
      text: 'error: no videos in films/\n',
    });
    expect(await outcome(new OptionError('--batch-size', '0', 'a whole number of at least 1'))).toEqual({
      code: 2,
      text: 'error: --batch-size: "0" cannot be used; expected a whole number of at least 1\n',
    });
  });

  it('does the same for the error classes of other packages', async () => {
    const foreign = new ForeignError('no adapter');
    expect(await outcome(foreign, { userErrors: [ForeignError] })).toEqual({
      code: 1,
      text: 'error: no adapter\n',
    });
    expect((await outcome(foreign)).text).toContain('unexpected error');
  });

  it('says that anything else is a defect, and how to see more', async () => {
    const { code, text } = await outcome(new TypeError('x is undefined'));
    expect(code).toBe(1);
    expect(text).toContain('unexpected error: TypeError: x is undefined');
    expect(text).toContain('defect');
    expect(text).toContain('--debug');
    expect(text).not.toContain('at ');
    expect((await outcome('a string')).text).toContain('unexpected error: a string');
  });

  it('adds the stack and the causes when debugging', async () => {
    const error = new UserError('outer', { cause: new Error('inner') });
    for (const options of [{ argv: ['--debug'] }, { env: { TUBELET_DEBUG: '1' } }]) {
      const { code, text } = await outcome(error, options);
      expect(code).toBe(1);
      expect(text).toContain('cli.test');
      expect(text).toContain('Caused by: Error: inner');
      expect((await outcome(new TypeError('bad'), options)).text).toContain('cli.test');
    }
  });

  it('leaves the words to commander, which has already printed them', async () => {
    const commander = (exitCode: number) =>
      Object.assign(new Error('printed'), { code: 'commander.unknownOption', exitCode });
    expect(await outcome(commander(1))).toEqual({ code: 2, text: '' });
    expect(await outcome(commander(0))).toEqual({ code: 0, text: '' });
  });
});
