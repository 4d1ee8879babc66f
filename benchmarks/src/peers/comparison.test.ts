import { describe, expect, it } from 'vitest';
import { SCALE_CASE } from './cases.js';
import { ratioChart } from './chart.js';
import { compareResults, shareOfProcessor, verdicts } from './comparison.js';
import { OWN_ENGINE, SCALE_ENGINE } from './engines.js';
import type { PeerResult } from './measure.js';
import { formatResults } from './report.js';

function result(
  engine: string,
  rounds: readonly number[],
  more: { status?: 'right' | 'wrong'; role?: PeerResult['role']; case?: string } = {},
): PeerResult {
  const { status = 'right', role = engine === OWN_ENGINE ? 'own' : 'peer' } = more;
  const seconds = [...rounds].sort((a, b) => a - b)[Math.floor(rounds.length / 2)]!;
  return {
    case: more.case ?? 'product',
    engine,
    role,
    method: 'plain',
    outcome: {
      status,
      rounds,
      seconds,
      gigaflopsPerSecond: 1 / seconds,
      error: status === 'right' ? 1e-7 : 0.5,
      worstOutput: 'y',
      tolerance: 1e-5,
    },
  };
}

const absent: PeerResult = {
  case: 'product',
  engine: 'broken',
  role: 'peer',
  method: '',
  outcome: { status: 'absent', reason: 'no autodiff' },
};

describe('the comparison', () => {
  it('takes ratios within rounds, so that load which changes between them does not count', () => {
    const [own, peer] = compareResults([result(OWN_ENGINE, [1, 10, 2]), result('other', [3, 30, 6])]);
    expect(own!.timeRatio).toBeUndefined();
    expect(peer!.timeRatio).toBe(3);
  });

  it('ranks only right results of peers', () => {
    const results = compareResults([
      result(OWN_ENGINE, [2]),
      result('slow', [8]),
      result('quick', [6]),
      result('wrong', [1], { status: 'wrong' }),
      result('processor', [1], { role: 'scale' }),
      absent,
    ]);
    expect(verdicts(results)).toEqual([
      `product: ${OWN_ENGINE} is 3.00× as fast as the quickest peer, quick (plain)`,
    ]);
  });

  it('says when it is behind, alone or wrong itself', () => {
    expect(verdicts(compareResults([result(OWN_ENGINE, [2]), result('quick', [1])]))).toEqual([
      `product: ${OWN_ENGINE} is 2.00× as slow as the quickest peer, quick (plain)`,
    ]);
    expect(verdicts(compareResults([result(OWN_ENGINE, [2]), absent]))).toEqual([
      'product: no peer has a right result',
    ]);
    const wrong = result(OWN_ENGINE, [2], { status: 'wrong' });
    expect(verdicts(compareResults([wrong, result('quick', [1])]))[0]).toContain('no right result');
  });

  it('gives the share of a tuned library on the processor', () => {
    const own = result(OWN_ENGINE, [8], { case: SCALE_CASE });
    const scale = result(SCALE_ENGINE, [1], { case: SCALE_CASE, role: 'scale' });
    expect(shareOfProcessor(compareResults([own, scale]))).toBe(0.125);
    expect(shareOfProcessor(compareResults([own]))).toBeUndefined();
  });
});

describe('the table and the chart', () => {
  const results = compareResults([
    result(OWN_ENGINE, [0.002, 0.002, 0.003]),
    result('quick <1>', [0.004, 0.004, 0.006]),
    result('liar', [0.001, 0.001, 0.0015], { status: 'wrong' }),
    absent,
  ]);

  it('shows every result, the wrong ones as wrong and the absent ones with their reason', () => {
    const lines = formatResults(results).split('\n');
    const cells = lines.map((line) => line.split(/ {2,}/));
    expect(lines).toHaveLength(5);
    expect(cells[1]).toEqual(['product', OWN_ENGINE, 'plain', '2.00', '±25 %', '500.00', '1', '1.0e-7']);
    expect(cells[2]!.slice(1)).toEqual(['quick <1>', 'plain', '4.00', '±25 %', '250.00', '2.00', '1.0e-7']);
    expect(cells[3]!.slice(6)).toEqual(['(0.50)', 'WRONG: 5.0e-1 in y']);
    expect(cells[4]).toEqual(['product', 'broken', '–', '–', '–', '–', '–', 'no autodiff']);
  });

  it('draws a bar for what has run, from 1 to its ratio', () => {
    const svg = ratioChart(results, 'here & now');
    expect(svg.match(/<rect x=/g)).toHaveLength(2);
    expect(svg).toContain('quick &lt;1&gt;, plain');
    expect(svg).toContain('here &amp; now');
    expect(svg).toContain('0.50, wrong');
    expect(svg).not.toContain('broken');
    // The axis runs from 0.5 to 2: half its length is one doubling.
    expect(svg).toMatch(/<rect x="610\.0" [^>]*width="280\.0"/);
    expect(svg).toMatch(/<rect x="330\.0" [^>]*width="280\.0"/);
  });
});
