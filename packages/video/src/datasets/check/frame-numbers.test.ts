import { describe, expect, it } from 'vitest';
import { frameNumberProblem } from './frame-numbers.js';

const named = (numbers: readonly number[]) =>
  numbers.map((number) => `frame_det_00_${String(number).padStart(6, '0')}.jpg`);

describe('frameNumberProblem', () => {
  it.each([
    ['numbered from 1', named([1, 2, 3])],
    ['numbered from elsewhere', named([17, 18, 19])],
    ['without numbers', ['first.jpg', 'last.jpg']],
    ['partly without numbers', ['cover.jpg', '1.jpg', '9.jpg']],
    ['with numbers that are not padded', ['8.png', '9.png', '10.png']],
    ['alone', ['00007.jpg']],
  ])('finds nothing in names %s', (_, names) => {
    expect(frameNumberProblem(names)).toBeNull();
  });

  it('names the missing numbers, the first few of many', () => {
    expect(frameNumberProblem(named([1, 2, 4]))).toBe('1 of the frame numbers 1 to 4 are missing: 3');
    expect(frameNumberProblem(named([5, 6, 1_000_000]))).toBe(
      '999993 of the frame numbers 5 to 1000000 are missing: 7, 8, 9, 10, 11, …',
    );
  });

  it('tells frames that were taken at a distance', () => {
    expect(frameNumberProblem(named([0, 4, 8, 12]))).toBe('its 4 frames are numbered 0 to 12 in steps of 4');
  });

  it('tells two files for one frame', () => {
    expect(frameNumberProblem(['1.jpg', '01.png', '2.jpg'])).toBe(
      '1.jpg and 01.png have the same frame number',
    );
  });
});
