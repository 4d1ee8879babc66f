/** What reads foreign files inside of this package, for tests of other workspaces. */
export { createRunner } from '../create-runner';
export { parseFrameList, parseInputHeader } from '../ffmpeg-output';
export { HeaderCache } from '../header-cache';
export { probeVideo } from '../probe';
export { readMemberInfo } from '../shards/member';
export { findStart, listFrameTimes, withContainer } from '../webcodecs/container';
