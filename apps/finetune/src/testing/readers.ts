/** What reads foreign files, for tests of other workspaces. */
export { describeClassifier, readClassifierFile } from '../classifier-file.js';
export { encoderConfigOf, readWeightsFile } from '../weights-file.js';
