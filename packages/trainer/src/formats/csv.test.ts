import { expect, it } from 'vitest';
import { csvRecord } from './csv.js';

it('quotes what would break a CSV record', () => {
  expect(csvRecord(['a b', 'c,d', 'e"f', 'g\nh', 1.5])).toBe('a b,"c,d","e""f","g\nh",1.5\n');
});
