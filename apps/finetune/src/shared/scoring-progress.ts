import { formatDuration, RateMeter } from '@tubelet/trainer';

/** Between two lines passes at least so long. */
const INTERVAL_MS = 10_000;

/** Says every ten seconds how many clips are scored, or what else is done, how fast, and how long the rest will take. */
export function scoringProgress(
  tell: (line: string) => void,
  nowMs: () => number = Date.now,
  { unit, done }: { readonly unit: string; readonly done: string } = { unit: 'clips', done: 'scored' },
): (done: number, total: number) => void {
  const rate = new RateMeter(nowMs());
  let lastMs = nowMs();
  let before = 0;
  return (scored, total) => {
    const now = nowMs();
    rate.add(scored - before, now);
    before = scored;
    if (now - lastMs < INTERVAL_MS) return;
    lastMs = now;
    const perSecond = rate.perSecond;
    const left = formatDuration((1000 * (total - scored)) / perSecond);
    tell(`${scored} of ${total} ${unit} ${done}  ${perSecond.toPrecision(3)} ${unit}/s  ETA ${left}`);
  };
}
