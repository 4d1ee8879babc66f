import { PhiloxStream } from '@tubelet/kernels';
import { expect, it } from 'vitest';
import { shuffle } from './epoch-samples';
import { Purpose } from './stream-purposes';

it('shuffles as the random stream itself does', () => {
  for (const length of [0, 1, 2, 1000, 100_003]) {
    const key = { seed: 5, purpose: Purpose.shuffle, epoch: length };
    const order = Uint32Array.from({ length }, (_, i) => i);
    const expected = new PhiloxStream(key).shuffle(order.slice());
    shuffle(order, new PhiloxStream(key));
    expect(order).toEqual(expected);
  }
});
