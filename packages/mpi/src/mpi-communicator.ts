import { hostname } from 'node:os';
import { promisify } from 'node:util';
import type { Communicator, Numbers } from './communicator.js';
import { MpiError } from './errors.js';
import type { Launch } from './launch.js';
import type { MpiLibrary, NativeFunction } from './library.js';

/** Calls of several threads, one at a time. */
const THREAD_SERIALIZED = 2;
const THREAD_MULTIPLE = 3;

/** Counts are 32-bit integers: longer arrays go in pieces. */
const PIECE_BYTES = 1 << 30;

/** Launchers stop passing on what ranks have written as soon as one of them aborts: its last words need a moment. */
const LAST_WORDS_MS = 300;

/**
 * The ranks of an MPI job. Calls that wait for others run on a thread that is not the main one, so that the GPU is kept
 * busy meanwhile; they run one at a time, since the order of calls is what ranks agree by.
 *
 * A rank that ends in an error takes the job down: the launcher learns of it by `MPI_Abort` and ends the others, which
 * would wait for it for ever.
 */
export class MpiCommunicator implements Communicator {
  readonly rank: number;
  readonly size: number;
  localRank = 0;
  localSize = 1;
  description = '';

  private readonly calls: Record<'barrier' | 'broadcast' | 'allreduce' | 'allgather', NativeFunction>;
  private readonly finalize: NativeFunction;
  private last: Promise<unknown> = Promise.resolve();
  private isOpen = true;

  private constructor(
    private readonly mpi: MpiLibrary,
    launch: Launch,
  ) {
    const provided = Buffer.alloc(4);
    const initialise = mpi.bind('MPI_Init_thread', ['void *', 'void *', 'int', 'void *']);
    requireSuccess('MPI_Init_thread', initialise(null, null, THREAD_MULTIPLE, provided));
    if (provided.readInt32LE() < THREAD_SERIALIZED) {
      throw new MpiError(`${mpi.version} was built without threads; install a build that has them`);
    }
    const number = (name: string): number => {
      const value = Buffer.alloc(4);
      requireSuccess(name, mpi.bind(name, ['comm', 'void *'])(mpi.world, value));
      return value.readInt32LE();
    };
    this.rank = number('MPI_Comm_rank');
    this.size = number('MPI_Comm_size');
    this.calls = {
      barrier: mpi.bind('MPI_Barrier', ['comm']),
      broadcast: mpi.bind('MPI_Bcast', ['void *', 'int', 'type', 'int', 'comm']),
      allreduce: mpi.bind('MPI_Allreduce', ['void *', 'void *', 'int', 'type', 'op', 'comm']),
      allgather: mpi.bind('MPI_Allgather', ['void *', 'int', 'type', 'void *', 'int', 'type', 'comm']),
    };
    this.finalize = mpi.bind('MPI_Finalize', []);
    const abort = mpi.bind('MPI_Abort', ['comm', 'int']);
    // Node writes what was not caught after the event below, which nothing follows here.
    process.on('uncaughtExceptionMonitor', (error) => {
      if (this.isOpen) console.error(`rank ${this.rank}:`, error);
    });
    process.once('exit', (code) => {
      if (!this.isOpen) return;
      if (code === 0) this.finalize();
      else {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, LAST_WORDS_MS);
        abort(mpi.world, code);
      }
    });
    if (this.size !== launch.size) {
      throw new MpiError(
        `the launcher has started ${launch.size} ranks, but ${mpi.version} knows of ${this.size}: it belongs to ` +
          'another launcher. Use the mpirun of the same installation, or name its library in TUBELET_MPI_LIBRARY.',
      );
    }
  }

  /**
   * Joins the job. Once in a process, on its main thread.
   *
   * @throws MpiError when library and launcher do not belong together
   */
  static async join(library: MpiLibrary, launch: Launch): Promise<MpiCommunicator> {
    const joined = new MpiCommunicator(library, launch);
    const hosts = await joined.gather(hostname());
    const here = hosts.flatMap((host, rank) => (host === hosts[joined.rank] ? [rank] : []));
    joined.localRank = here.indexOf(joined.rank);
    joined.localSize = here.length;
    const hostCount = new Set(hosts).size;
    joined.description = `${joined.size} ranks on ${hostCount} host${hostCount > 1 ? 's' : ''}, ${library.version}`;
    return joined;
  }

  barrier(): Promise<void> {
    return this.enqueue('barrier', () => [this.mpi.world]);
  }

  async broadcast(data: ArrayBufferView): Promise<void> {
    const { types, world } = this.mpi;
    for (const piece of bytePieces(data)) {
      await this.enqueue('broadcast', () => [piece, piece.byteLength, types.byte, 0, world]);
    }
  }

  async sum(values: Numbers, result: Numbers = values): Promise<void> {
    await this.allreduce(values, result, this.mpi.ops.sum);
  }

  async max(values: Numbers): Promise<void> {
    await this.allreduce(values, values, this.mpi.ops.max);
  }

  async gather<T>(value: T): Promise<T[]> {
    const { types, world } = this.mpi;
    const bytes = Buffer.from(JSON.stringify(value));
    const longest = Float64Array.of(bytes.byteLength);
    await this.max(longest);
    // A length before each, and all as long as the longest.
    const room = 4 + longest[0]!;
    const own = Buffer.alloc(room);
    own.writeUInt32LE(bytes.byteLength);
    bytes.copy(own, 4);
    const all = Buffer.alloc(room * this.size);
    await this.enqueue('allgather', () => [own, room, types.byte, all, room, types.byte, world]);
    return Array.from({ length: this.size }, (_, rank) => {
      const at = rank * room;
      return JSON.parse(all.toString('utf8', at + 4, at + 4 + all.readUInt32LE(at))) as T;
    });
  }

  async close(): Promise<void> {
    if (!this.isOpen) return;
    await this.barrier();
    this.isOpen = false;
    requireSuccess('MPI_Finalize', this.finalize());
  }

  private async allreduce(values: Numbers, result: Numbers, op: unknown): Promise<void> {
    if (values.length !== result.length || values.BYTES_PER_ELEMENT !== result.BYTES_PER_ELEMENT) {
      throw new RangeError(
        `${values.length} values cannot be reduced into ${result.length} of another array`,
      );
    }
    const { types, world, inPlace } = this.mpi;
    const type = values instanceof Float32Array ? types.float32 : types.float64;
    const most = PIECE_BYTES / values.BYTES_PER_ELEMENT;
    for (let first = 0; first < values.length; first += most) {
      const to = result.subarray(first, first + most);
      const from = values === result ? inPlace : values.subarray(first, first + most);
      await this.enqueue('allreduce', () => [from, to, to.length, type, op, world]);
    }
  }

  /** Runs a call on another thread when all earlier ones have ended; what `args` gives is kept until it ends too. */
  private enqueue(name: keyof MpiCommunicator['calls'], args: () => unknown[]): Promise<void> {
    const call = promisify(this.calls[name].async) as (...args: unknown[]) => Promise<number>;
    const result = this.last.then(async () => {
      if (!this.isOpen) throw new MpiError(`${name}: the communicator is closed`);
      const kept = args();
      requireSuccess(name, await call(...kept));
      return kept;
    });
    this.last = result.catch(() => undefined);
    return result.then(() => undefined);
  }
}

/** By default MPI ends the job with a message of its own instead of giving a code. */
function requireSuccess(call: string, code: number): void {
  if (code !== 0) throw new MpiError(`${call} answers with error code ${code}`);
}

function* bytePieces({ buffer, byteOffset, byteLength }: ArrayBufferView): Generator<Uint8Array> {
  for (let first = 0; first < byteLength; first += PIECE_BYTES) {
    yield new Uint8Array(buffer, byteOffset + first, Math.min(PIECE_BYTES, byteLength - first));
  }
}
