import type { Communicator, Numbers } from '../communicator.js';

/** One call that all ranks make: what each has brought, and what to do when the last is there. */
interface Meeting {
  readonly brought: Brought[];
  readonly waiting: (() => void)[];
}

interface Brought {
  readonly rank: number;
  readonly call: string;
  readonly value: unknown;
}

/** The ranks of a job inside of one process, for tests. Ranks that call different methods in turn are refused. */
export function inProcessRanks(size: number): Communicator[] {
  const meetings: Meeting[] = [];
  return Array.from({ length: size }, (_, rank): Communicator => {
    let calls = 0;
    const meet = async <T>(call: string, value: T): Promise<T[]> => {
      const { brought, waiting } = (meetings[calls++] ??= { brought: [], waiting: [] });
      brought.push({ rank, call, value });
      if (brought.length === size) waiting.forEach((goOn) => goOn());
      else await new Promise<void>((goOn) => waiting.push(goOn));
      const other = brought.find((entry) => entry.call !== call);
      if (other) throw new Error(`rank ${rank} calls ${call}, rank ${other.rank} calls ${other.call}`);
      return [...brought].sort((a, b) => a.rank - b.rank).map((entry) => entry.value as T);
    };
    const reduce = async (
      call: string,
      values: Numbers,
      to: Numbers,
      by: (a: number, b: number) => number,
    ) => {
      const all = await meet(`${call} of ${values.length}`, values.slice());
      for (let i = 0; i < to.length; i++) {
        let total = all[0]![i]!;
        for (let other = 1; other < size; other++) total = by(total, all[other]![i]!);
        to[i] = total;
      }
    };
    return {
      rank,
      size,
      localRank: rank,
      localSize: size,
      description: `${size} ranks in one process`,
      barrier: async () => void (await meet('barrier', 0)),
      broadcast: async (data) => {
        const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
        bytes.set((await meet(`broadcast of ${bytes.length}`, bytes.slice()))[0]!);
      },
      sum: (values, result = values) => reduce('sum', values, result, (a, b) => a + b),
      max: (values) => reduce('max', values, values, Math.max),
      gather: (value) => meet('gather', value),
      close: async () => void (await meet('close', 0)),
    };
  });
}
