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
