/**
 * The decoder process: answers one request after the other, and ends with its parent. The library lives in a process
 * of its own since it crashes in worker threads, and since a file that brings it down then costs one clip.
 */
import { decodeFrames, probeContainer } from './decode-frames.js';
import { encodePlanes, encodeVideo, type EncodingWebCodecs } from './encode-video.js';
import { STOP_SIGNALS } from '../stop-signals.js';
import type { ProcessRequest, ProcessResponse, ProcessResult } from './protocol.js';

const send = (response: ProcessResponse) => process.send?.(response);
const messageOf = (error: unknown) => (error instanceof Error ? error.message : String(error));

// A signal that goes to every process of a job is for the program to answer. This one finishes what it was asked, since its
// death would be laid to the file, and then ends with its parent.
for (const signal of STOP_SIGNALS) process.on(signal, () => undefined);

// Not an orderly exit: that would wait for a decoder that hangs.
process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));

function work(
  library: EncodingWebCodecs,
  request: ProcessRequest,
): Promise<ProcessResult[keyof ProcessResult]> {
  switch (request.kind) {
    case 'probe':
      return probeContainer(library, request);
    case 'frames':
      return decodeFrames(library, request);
    case 'encode':
      return encodeVideo(library, request);
    case 'encodeFrames':
      return encodePlanes(library, request);
  }
}

async function answer(library: EncodingWebCodecs, request: ProcessRequest): Promise<ProcessResponse> {
  try {
    return { kind: 'done', value: await work(library, request) };
  } catch (error) {
    // Whatever went wrong, ffmpeg has the last word on the file.
    return { kind: 'refused', reason: messageOf(error) };
  }
}

try {
  const library: EncodingWebCodecs = await import('@napi-rs/webcodecs');
  process.on('message', (request: ProcessRequest) => void answer(library, request).then(send));
  send({ kind: 'ready' });
} catch (error) {
  send({ kind: 'ready', failure: messageOf(error) });
}
