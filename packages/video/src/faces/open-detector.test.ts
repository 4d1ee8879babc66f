import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import { expect, it } from 'vitest';
import { FaceDetectorError } from '../errors.js';
import { DetectorThreads } from './open-detector.js';

/** A thread that does this with each `message`. */
const thread = (doing: string) =>
  new Worker(
    `const { parentPort } = require('node:worker_threads');
let asked;
parentPort.on('message', (message) => { ${doing} });`,
    { eval: true },
  );

it('ends for all who ask, and once and for all, when a thread dies', async () => {
  const dying = thread(`throw new Error('out of memory');`);
  const living = thread(
    `if (message === 'answer') parentPort.postMessage({ kind: 'faces', id: asked, faces: [] }); else asked = message.id;`,
  );
  const detector = new DetectorThreads([dying, living]);
  const image = { pixels: new Uint8Array(3), width: 1, height: 1 };
  for (const outcome of await Promise.allSettled([detector.detect(image), detector.detect(image)]))
    expect(outcome).toMatchObject({ reason: expect.any(FaceDetectorError) as unknown });
  const late = once(living, 'message');
  living.postMessage('answer');
  await late;
  await expect(detector.detect(image)).rejects.toThrow('The face detector ended: out of memory');
  await detector.close();
});

it('is loaded when all threads are, and not when one of them ends before, even one that had loaded', async () => {
  const ready = thread(`parentPort.postMessage({ kind: 'ready' }); if (message === 'end') process.exit(7);`);
  const silent = thread('');
  const detector = new DetectorThreads([ready, silent]);
  ready.postMessage('load');
  await once(ready, 'message');
  ready.postMessage('end');
  await expect(detector.loaded).rejects.toThrow('The face detector ended: a thread of it ended with code 7');
  await detector.close();

  const both = [0, 1].map(() => thread(`parentPort.postMessage({ kind: 'ready' });`));
  const loaded = new DetectorThreads(both);
  for (const one of both) one.postMessage('load');
  await loaded.loaded;
  await loaded.close();
});
