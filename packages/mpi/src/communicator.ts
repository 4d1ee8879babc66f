/** What sums and maxima are taken of. */
export type Numbers = Float32Array | Float64Array;

/**
 * The ranks of one job. All ranks call the same methods in the same order, with arrays of the same lengths; calls may be
 * made before earlier ones have ended, and are carried out one after the other. Arrays must not be touched until the
 * promise of their call is fulfilled.
 */
export interface Communicator {
  /** From 0 to `size` − 1. */
  readonly rank: number;
  readonly size: number;
  /** The how-manieth of the ranks on this host it is, counted from 0. */
  readonly localRank: number;
  /** The number of ranks on this host. */
  readonly localSize: number;
  /** In words, such as `4 ranks on 2 hosts, Open MPI v4.1.4`. */
  readonly description: string;

  /** Fulfilled when every rank has called it. */
  barrier(): Promise<void>;
  /** Overwrites `data` with that of rank 0, byte by byte. */
  broadcast(data: ArrayBufferView): Promise<void>;
  /** Element-wise sum over all ranks, the same bits on each. `result` is `values` itself unless given. */
  sum(values: Numbers, result?: Numbers): Promise<void>;
  /** Element-wise maximum over all ranks, in place. */
  max(values: Numbers): Promise<void>;
  /** The values of all ranks by rank, which may differ in size: what JSON can hold, and little of it. */
  gather<T>(value: T): Promise<T[]>;
  /** Takes leave of the others, when all have come to their end; nothing may be called afterwards. */
  close(): Promise<void>;
}
