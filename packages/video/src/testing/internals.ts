/** What tests of other workspaces use of the inside of this package: readers of foreign files, and the order of samples. */
export { createRunner } from '../ffmpeg/create-runner.js';
export { EpochSamples } from '../sampling/epoch-samples.js';
export { parseFrameList, parseInputHeader } from '../ffmpeg/ffmpeg-output.js';
export { HeaderCache } from '../decode/header-cache.js';
export { probeVideo } from '../ffmpeg/probe.js';
export { readMemberInfo } from '../shards/member.js';
export { DecoderProcess } from '../webcodecs/client.js';
export { scriptFile } from '../loader/worker-file.js';
