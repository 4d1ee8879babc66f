import { median } from '../kernels/batch-timer.js';
import { caseFlops, type PeerCase } from './cases.js';
import { EngineProcessError, type EngineProcess } from './engine-process.js';
import { expectedOutputs, worstError, type Expected } from './reference.js';

export interface PeerOptions {
  /** Interleaved rounds; medians count. */
  readonly rounds: number;
  /** About how long an engine works in one round. */
  readonly batchMs: number;
}

/** What one engine did on one case in one way, or why it did not. */
export interface PeerResult {
  readonly case: string;
  readonly engine: string;
  readonly role: 'own' | 'peer' | 'scale';
  readonly method: string;
  readonly outcome: Measured | { readonly status: 'absent'; readonly reason: string };
}

export interface Measured {
  /** `wrong` results are not within the tolerance: their time is no achievement. */
  readonly status: 'right' | 'wrong';
  /** Seconds of one run, by round. */
  readonly rounds: readonly number[];
  readonly seconds: number;
  readonly gigaflopsPerSecond: number;
  /** Largest |actual − expected| of an output over its largest |expected|, and which output has it. */
  readonly error: number;
  readonly worstOutput: string;
  readonly tolerance: number;
}

interface Candidate {
  readonly process: EngineProcess;
  readonly method: string;
  readonly error: { readonly error: number; readonly output: string };
  readonly repetitions: number;
  readonly seconds: number[];
}

/**
 * Runs one case on all engines: each is set up and checked against double precision, then all take turns in every
 * round, each the first one once in a while. An engine that fails is reported with its reason.
 */
export async function measurePeerCase(
  processes: readonly EngineProcess[],
  peerCase: PeerCase,
  options: PeerOptions,
  expected: Expected = expectedOutputs(peerCase.shape),
): Promise<PeerResult[]> {
  const absent: PeerResult[] = [];
  const candidates: Candidate[] = [];
  for (const process of processes) {
    const { prepared, failures } = await prepareEngine(process, peerCase, expected, options);
    candidates.push(...prepared);
    absent.push(...failures);
  }
  let alive = candidates;
  for (let round = 0; round < options.rounds; round++) {
    const start = round % Math.max(1, alive.length);
    for (const candidate of [...alive.slice(start), ...alive.slice(0, start)]) {
      const { process, method, repetitions, seconds } = candidate;
      try {
        seconds.push(await process.ask({ kind: 'time', method, repetitions }));
      } catch (error) {
        alive = alive.filter((other) => other !== candidate);
        absent.push(failure(peerCase, process, method, error));
      }
    }
  }
  for (const process of processes) {
    if (process.isRunning) await process.ask({ kind: 'release' }).catch(() => process.close());
  }
  const flops = caseFlops(peerCase.shape);
  const { tolerance } = peerCase;
  const measured = alive.map(({ process, method, error, seconds }): PeerResult => {
    const typical = median(seconds);
    return {
      ...label(peerCase, process, method),
      outcome: {
        status: error.error <= tolerance ? 'right' : 'wrong',
        rounds: seconds,
        seconds: typical,
        gigaflopsPerSecond: flops / typical / 1e9,
        error: error.error,
        worstOutput: error.output,
        tolerance,
      },
    };
  });
  return [...measured, ...absent];
}

async function prepareEngine(
  process: EngineProcess,
  peerCase: PeerCase,
  expected: Expected,
  { batchMs }: PeerOptions,
): Promise<{ prepared: Candidate[]; failures: PeerResult[] }> {
  const prepared: Candidate[] = [];
  const failures: PeerResult[] = [];
  let methods: readonly string[];
  try {
    // A process that an earlier case ended gets another chance.
    if (!process.isRunning) await process.open();
    const answer = await process.ask({ kind: 'methods', shape: peerCase.shape });
    if ('reason' in answer) throw new EngineProcessError(answer.reason);
    methods = answer;
  } catch (error) {
    return { prepared, failures: [failure(peerCase, process, '', error)] };
  }
  for (const method of methods) {
    try {
      if (!process.isRunning) await process.open();
      const outputs = await process.ask({ kind: 'prepare', shape: peerCase.shape, method });
      const error = worstError(outputs, expected);
      const repetitions = await calibrateRounds(process, method, batchMs);
      prepared.push({ process, method, error, repetitions, seconds: [] });
    } catch (error) {
      failures.push(failure(peerCase, process, method, error));
    }
  }
  return { prepared, failures };
}

/** Repetitions that fill about `batchMs`. */
async function calibrateRounds(process: EngineProcess, method: string, batchMs: number): Promise<number> {
  const ask = (repetitions: number) => process.ask({ kind: 'time', method, repetitions });
  const first = 1000 * (await ask(1));
  if (first >= batchMs) return 1;
  const several = Math.min(16, Math.ceil(batchMs / first));
  const better = 1000 * (await ask(several));
  return Math.max(1, Math.min(1000, Math.round(batchMs / better)));
}

function label({ name }: PeerCase, { entry }: EngineProcess, method: string) {
  return { case: name, engine: entry.name, role: entry.role, method };
}

function failure(peerCase: PeerCase, process: EngineProcess, method: string, error: unknown): PeerResult {
  const reason = error instanceof Error ? error.message : String(error);
  return { ...label(peerCase, process, method), outcome: { status: 'absent', reason } };
}
