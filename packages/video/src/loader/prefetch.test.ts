import { expect, it } from 'vitest';
import { prefetch } from './prefetch.js';

/** Results that are given by hand. */
function byHand() {
  const asked: number[] = [];
  const settle: { resolve(value: string): void; reject(error: Error): void }[] = [];
  const load = (index: number) => {
    asked.push(index);
    return new Promise<string>((resolve, reject) => (settle[index] = { resolve, reject }));
  };
  return { asked, settle, load };
}

it('gives results in order, however they come, and asks for no more than it may', async () => {
  const { asked, settle, load } = byHand();
  const results = prefetch(load, { first: 2, end: 6, ahead: 1 });
  expect(asked).toEqual([]);
  const first = results.next();
  expect(asked).toEqual([2, 3]);
  settle[3]!.resolve('three');
  settle[2]!.resolve('two');
  expect(await first).toEqual({ value: 'two', done: false });
  expect(asked).toEqual([2, 3]);
  expect(await results.next()).toEqual({ value: 'three', done: false });
  expect(asked).toEqual([2, 3, 4]);
  const rest = [results.next(), results.next(), results.next()];
  settle[4]!.resolve('four');
  await rest[0];
  await Promise.resolve();
  settle[5]!.resolve('five');
  expect((await Promise.all(rest)).map(({ value }) => value)).toEqual(['four', 'five', undefined]);
});

it('throws a failure when its turn comes', async () => {
  const { settle, load } = byHand();
  const results = prefetch(load, { end: 3, ahead: 2 });
  const first = results.next();
  settle[1]!.reject(new Error('one'));
  settle[2]!.resolve('two');
  settle[0]!.resolve('zero');
  expect((await first).value).toBe('zero');
  await expect(results.next()).rejects.toThrow('one');
  expect((await results.next()).done).toBe(true);
});

it('waits for what is under way when it is left early', async () => {
  const { settle, load } = byHand();
  const results = prefetch(load, { end: 9, ahead: 1 });
  const first = results.next();
  settle[0]!.resolve('zero');
  await first;
  let left = false;
  const leaving = results.return().then(() => (left = true));
  await new Promise((resolve) => setImmediate(resolve));
  expect(left).toBe(false);
  settle[1]!.resolve('one');
  await leaving;
  expect(left).toBe(true);
});
