import { expect, it } from 'vitest';
import { digestOf } from './digest.js';

/** The definition: Fowler, Noll and Vo's FNV-1a with integers of any size. */
function definition(text: string): string {
  let hash = 0xcbf29ce484222325n;
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    for (const byte of [unit & 0xff, unit >> 8]) {
      hash = ((hash ^ BigInt(byte)) * 0x100000001b3n) & 0xffffffffffffffffn;
    }
  }
  return hash.toString(16).padStart(16, '0');
}

it.each(['', 'a', 'fn main() { return; }', '× → ∞', 'long '.repeat(1000)])('%j', (text) =>
  expect(digestOf(text)).toBe(definition(text)),
);
