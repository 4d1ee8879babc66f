import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isOutOfReach, isSystemFailure } from './errors.js';

it('what cannot be read is out of reach, a program that cannot be started or a shortage is not', async () => {
  const thrown = (work: () => unknown): unknown => {
    try {
      return work();
    } catch (error) {
      return error;
    }
  };
  expect(isOutOfReach(thrown(() => readdirSync('/no such folder')))).toBe(true);
  expect(isOutOfReach(thrown(() => statSync('/no such file')))).toBe(true);
  expect(isOutOfReach(thrown(() => readFileSync('/')))).toBe(true);
  const [error] = (await once(spawn('/no such program'), 'error').catch((failure: unknown) => [failure])) as [
    Error,
  ];
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(isOutOfReach(error)).toBe(false);
  for (const [syscall, code] of [
    ['open', 'EMFILE'],
    ['stat', 'ESTALE'],
    ['read', 'EIO'],
  ]) {
    const failure = Object.assign(new Error('later'), { syscall, code });
    expect(isOutOfReach(failure)).toBe(false);
    expect(isSystemFailure(failure)).toBe(true);
  }
  expect(isSystemFailure(thrown(() => statSync('/no such file')))).toBe(false);
  expect(isSystemFailure(new SyntaxError('no JSON'))).toBe(false);
});
