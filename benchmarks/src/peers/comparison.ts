import { median } from '../kernels/batch-timer.js';
import { SCALE_CASE } from './cases.js';
import { OWN_ENGINE, SCALE_ENGINE } from './engines.js';
import type { Measured, PeerResult } from './measure.js';

/** A result beside the own one of its case. */
export interface ComparedResult extends PeerResult {
  /** Its time over Tubelet's (first method), the median of the rounds' ratios; absent where either has not run. */
  readonly timeRatio?: number;
}

/** Puts every result beside Tubelet's of the same case. Ratios are taken within rounds: load changes in between. */
export function compareResults(results: readonly PeerResult[]): ComparedResult[] {
  return results.map((result) => {
    const ownResult = results.find((other) => other.case === result.case && other.engine === OWN_ENGINE);
    const own = measuredOf(ownResult);
    const measured = measuredOf(result);
    if (!own || !measured || result === ownResult) return result;
    const ratios = own.rounds.map((seconds, round) => measured.rounds[round]! / seconds);
    return { ...result, timeRatio: median(ratios) };
  });
}

/** One sentence a case: how far ahead of the quickest peer whose results are right. */
export function verdicts(results: readonly ComparedResult[]): string[] {
  return [...new Set(results.map((result) => result.case))].map((name) => {
    const ofCase = results.filter((result) => result.case === name);
    const own = ofCase.find(({ engine }) => engine === OWN_ENGINE);
    if (own?.outcome.status !== 'right') return `${name}: ${OWN_ENGINE} has no right result to compare`;
    const rivals = ofCase
      .filter(({ role, outcome }) => role === 'peer' && outcome.status === 'right')
      .sort((a, b) => a.timeRatio! - b.timeRatio!);
    const best = rivals[0];
    if (!best) return `${name}: no peer has a right result`;
    const ratio = best.timeRatio!;
    const times = ratio >= 1 ? `${ratio.toFixed(2)}× as fast as` : `${(1 / ratio).toFixed(2)}× as slow as`;
    return `${name}: ${OWN_ENGINE} is ${times} the quickest peer, ${best.engine} (${best.method})`;
  });
}

/** Share of what the same processor reaches in a tuned library, for the square product; undefined where not run. */
export function shareOfProcessor(results: readonly ComparedResult[]): number | undefined {
  const scale = results.find(({ case: name, engine }) => name === SCALE_CASE && engine === SCALE_ENGINE);
  return scale?.outcome.status === 'right' ? scale.timeRatio : undefined;
}

export function measuredOf(result: PeerResult | undefined): Measured | undefined {
  return result && result.outcome.status !== 'absent' ? result.outcome : undefined;
}
