/** The order in which an epoch reads samples that lie in shards. */
import { PhiloxStream } from '@tubelet/kernels';
import { Purpose } from '../stream-purposes.js';

export interface ShardReading {
  /** Samples of each shard, one after the other. */
  shardSamples: readonly number[];
  /** Clips of a step, over all ranks: so many places in the shards are read side by side. */
  clipsPerStep: number;
  /** Samples among which the next one is drawn; 1 reads shards from their first sample to their last. */
  bufferSize: number;
}

/**
 * An order of all samples, each once, in which shards are read from beginning to end.
 *
 * The shards are shuffled and laid one behind the other. That row of samples is cut into one piece of equal length
 * (or one more) for each clip of a step, and each piece goes through a shuffle buffer: of the next `bufferSize`
 * samples one is drawn. Clip i of every step comes from piece i. So a step mixes as many shards as it has clips, a
 * rank reads its own pieces alone, and the order is the same for any number of ranks that share `clipsPerStep`.
 *
 * @returns [number of samples]; sample i of step s is element `s · clipsPerStep + i`.
 */
export function orderShards(
  { shardSamples, clipsPerStep, bufferSize }: ShardReading,
  seed: number,
  epoch: number,
): Uint32Array {
  const random = new PhiloxStream({ seed, purpose: Purpose.shardShuffle, epoch });
  const row = shuffledShards(shardSamples, random);
  const pieces = Math.min(clipsPerStep, row.length);
  const order = new Uint32Array(row.length);
  const buffer = new Uint32Array(bufferSize);
  for (let piece = 0, next = 0; piece < pieces; piece++) {
    let to = piece;
    const length = Math.ceil((row.length - piece) / pieces);
    let held = 0;
    for (const end = next + length; next < end; next++) {
      const sample = row[next] as number;
      if (held < bufferSize) {
        buffer[held++] = sample;
        continue;
      }
      const drawn = random.integer(held);
      order[to] = buffer[drawn] as number;
      buffer[drawn] = sample;
      to += pieces;
    }
    for (; held > 0; to += pieces) {
      const drawn = random.integer(held);
      order[to] = buffer[drawn] as number;
      buffer[drawn] = buffer[--held] as number;
    }
  }
  return order;
}

/** The samples of all shards, the shards in a random order, those of one in theirs. */
function shuffledShards(shardSamples: readonly number[], random: PhiloxStream): Uint32Array {
  const firstSamples: number[] = [];
  let count = 0;
  for (const samples of shardSamples) {
    firstSamples.push(count);
    count += samples;
  }
  const row = new Uint32Array(count);
  let to = 0;
  for (const shard of random.shuffle(Uint32Array.from(shardSamples, (_, i) => i))) {
    const first = firstSamples[shard] as number;
    for (let i = 0; i < (shardSamples[shard] as number); i++) row[to++] = first + i;
  }
  return row;
}
