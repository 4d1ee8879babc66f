/** What tests of other workspaces use of the inside of this package: readers of foreign files, and the order of samples. */
export { createRunner } from '../create-runner';
export { EpochSamples } from '../epoch-samples';
export { parseFrameList, parseInputHeader } from '../ffmpeg-output';
export { HeaderCache } from '../header-cache';
export { probeVideo } from '../probe';
export { readMemberInfo } from '../shards/member';
export { DecoderProcess } from '../webcodecs/client';
export { scriptFile } from '../worker-file';
