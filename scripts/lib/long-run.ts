import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { clearInterval, setInterval } from 'node:timers';
import { train } from './faulty-runs.js';

const STEPS = 2000;
const SAMPLE_EVERY_MS = 500;

/** What a process has at a moment. */
interface Sample {
  readonly megabytes: number;
  readonly descriptors: number;
  readonly processes: number;
}

/** What a process has now; undefined once it is gone. */
function sample(pid: number): Sample | undefined {
  try {
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return {
      megabytes: Number(kilobytes) / 1024,
      descriptors: readdirSync(`/proc/${pid}/fd`).length,
      // Each thread lists those that it began, and decoders are begun by threads.
      processes: readdirSync(`/proc/${pid}/task`).flatMap((thread) =>
        readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
      ).length,
    };
  } catch {
    return undefined;
  }
}

const median = (values: readonly number[]) => values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;

/**
 * Takes 2,000 steps in a process, with a checkpoint every 20, and looks at what it has all the while: once it runs, its
 * last quarter must have no more descriptors and processes than the second, and hardly more memory.
 *
 * @returns rows for the table
 */
export async function longRun(
  videos: string,
  out: string,
  say: (line: string) => void,
): Promise<[title: string, outcome: string, runs: number][]> {
  if (!existsSync('/proc/self/status')) {
    say('2,000 steps: what a process has is looked at on Linux only');
    return [];
  }
  const samples: Sample[] = [];
  let timer: NodeJS.Timeout | undefined;
  const { status, output } = await train(videos, out, {
    // 5 steps an epoch.
    changes: { epochs: STEPS / 5, 'save-every': 20 },
    whileRunning: (child) => {
      timer = setInterval(() => {
        const one = sample(child.pid!);
        if (one) samples.push(one);
      }, SAMPLE_EVERY_MS);
    },
  });
  clearInterval(timer);
  if (status !== 0) throw new Error(`2,000 steps ended with exit code ${status}\n${output}`);
  const quarter = Math.floor(samples.length / 4);
  const ofPart = (part: readonly Sample[]): Sample => ({
    megabytes: median(part.map(({ megabytes }) => megabytes)),
    descriptors: Math.max(...part.map(({ descriptors }) => descriptors)),
    processes: Math.max(...part.map(({ processes }) => processes)),
  });
  const before = ofPart(samples.slice(quarter, 2 * quarter));
  const after = ofPart(samples.slice(3 * quarter, -2));
  const text = ({ megabytes, descriptors, processes }: Sample) =>
    `${megabytes.toFixed(0)} MiB, ${descriptors} descriptors, ${processes} child processes`;
  const said = `${text(before)} in the second quarter; ${text(after)} in the last`;
  say(`2,000 steps: ${said}`);
  const isFlat =
    after.megabytes < 1.1 * before.megabytes + 16 &&
    // A checkpoint that is being written is one more.
    after.descriptors <= before.descriptors + 2 &&
    after.processes <= before.processes;
  if (!isFlat) throw new Error(`2,000 steps: what the process has grows: ${said}`);
  return [['2,000 steps in a process', said, 1]];
}
