import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, statSync } from 'node:fs';
import { expect, it } from 'vitest';
import { isOutOfReach } from './errors.js';

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
  const [error] = (await once(spawn('/no such program'), 'error').catch((failure: unknown) => [failure])) as [
    Error,
  ];
  expect(error).toMatchObject({ code: 'ENOENT' });
  expect(isOutOfReach(error)).toBe(false);
  expect(isOutOfReach(Object.assign(new Error('too many'), { syscall: 'open', code: 'EMFILE' }))).toBe(false);
  expect(isOutOfReach(Object.assign(new Error('stale'), { syscall: 'stat', code: 'ESTALE' }))).toBe(false);
});
