/*
 * What every rank of a job runs when the collectives are tested (`npm run test:mpi`): compares results with what they must
 * be, to the bit. The first argument names what is to happen; the default is all that goes well.
 */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { openCommunicator } from '../index.js';

const world = await openCommunicator();
const { rank, size } = world;
const scenario = process.argv[2] ?? 'results';
const sumOfRanks = (size * (size - 1)) / 2;

const scenarios: Record<string, () => Promise<void>> = {
  async results() {
    assert.equal(size, Number(process.argv[3]));
    assert.equal(world.localRank, rank);
    await world.barrier();

    const weights = Float32Array.from({ length: 100_003 }, (_, i) => i + rank);
    await world.broadcast(weights);
    assert.ok(weights.every((value, i) => value === i));
    await world.broadcast(new Float32Array(0));

    const values = Float32Array.from({ length: 100_003 }, (_, i) => rank * (i % 7));
    const sums = new Float32Array(values.length);
    await world.sum(values, sums);
    assert.ok(sums.every((value, i) => value === sumOfRanks * (i % 7)));
    assert.ok(values.every((value, i) => value === rank * (i % 7)));
    await world.sum(values);
    assert.deepEqual(values, sums);

    const precise = Float64Array.of(2 ** -40 + rank, -rank);
    await world.sum(precise);
    assert.deepEqual([...precise], [size * 2 ** -40 + sumOfRanks, -sumOfRanks]);
    const greatest = Float64Array.of(rank, 1 - rank, rank === 1 ? Infinity : 0);
    await world.max(greatest);
    assert.deepEqual([...greatest], [size - 1, 1, Infinity]);

    const names = await world.gather({ name: 'é'.repeat(rank * 1000), rank });
    assert.deepEqual(
      names.map(({ name }) => name.length),
      names.map((_, other) => other * 1000),
    );
    assert.ok(names.every((entry, other) => entry.rank === other));

    await assert.rejects(() => world.sum(new Float32Array(3), new Float32Array(2)), RangeError);

    // Sums that no machine represents exactly must still be the same bits on all ranks.
    const rounded = Float32Array.from({ length: 250_001 }, (_, i) => Math.sin(i * (rank + 1)));
    await world.sum(rounded);
    const digests = await world.gather(createHash('sha256').update(rounded).digest('hex'));
    assert.equal(new Set(digests).size, 1);
  },

  /** Calls that are made before earlier ones have ended, with the main thread free. */
  async overlap() {
    const arrays = Array.from({ length: 24 }, (_, i) => new Float32Array(200_000).fill(i + rank));
    let turns = 0;
    const ticking = setInterval(() => turns++, 1);
    await Promise.all(arrays.map((array) => world.sum(array)));
    clearInterval(ticking);
    assert.ok(turns > 0, 'the main thread had no turn while ranks spoke');
    arrays.forEach((array, i) => assert.ok(array.every((value) => value === size * i + sumOfRanks)));
  },

  /** One rank throws while the others wait for it. */
  async error() {
    await world.barrier();
    if (rank === size - 1) throw new Error('this rank has failed on purpose');
    await world.sum(new Float32Array(1000));
    assert.fail('a sum ended although a rank was missing');
  },

  /** One rank is killed while the others wait for it. */
  async kill() {
    await world.barrier();
    if (rank === size - 1) process.kill(process.pid, 'SIGKILL');
    await world.sum(new Float32Array(1000));
    assert.fail('a sum ended although a rank was missing');
  },

  /** Leaves without a farewell, as a program does that only prints its help. */
  async leave() {},

  /** Bytes in a second that a sum of 40 MB moves, and that of a bucket of gradients. */
  async speed() {
    for (const megabytes of [1, 25, 40]) {
      const values = new Float32Array((megabytes * 1e6) / 4).fill(1);
      const sums = new Float32Array(values.length);
      await world.sum(values, sums);
      const began = performance.now();
      for (let i = 0; i < 5; i++) await world.sum(values, sums);
      const duration = (performance.now() - began) / 5;
      if (rank === 0) console.log(`${megabytes} MB between ${size} ranks: ${duration.toFixed(1)} ms`);
    }
  },
};

const run = scenarios[scenario];
if (!run) throw new Error(`there is no scenario ${scenario}`);
await run();
if (scenario !== 'leave') await world.close();
if (rank === 0) console.log(`${scenario}: passed on ${world.description}`);
