import { expect, it } from 'vitest';
import { Ledger } from './ledger.js';

it('adds costs up by kernel and in total, and starts anew', () => {
  const ledger = new Ledger();
  ledger.add('matmul', { macs: 100, flops: 1, bytesRead: 8, bytesWritten: 4 });
  ledger.add('gelu', { macs: 0, flops: 7, bytesRead: 2, bytesWritten: 2 });
  ledger.add('matmul', { macs: 50, flops: 0, bytesRead: 4, bytesWritten: 4 });
  expect([...ledger.entries()]).toEqual([
    ['matmul', { calls: 2, macs: 150, flops: 1, bytesRead: 12, bytesWritten: 8 }],
    ['gelu', { calls: 1, macs: 0, flops: 7, bytesRead: 2, bytesWritten: 2 }],
  ]);
  expect(ledger.total()).toEqual({ calls: 3, macs: 150, flops: 8, bytesRead: 14, bytesWritten: 10 });
  ledger.reset();
  expect(ledger.total()).toEqual({ calls: 0, macs: 0, flops: 0, bytesRead: 0, bytesWritten: 0 });
});
