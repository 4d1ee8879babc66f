/** What reads foreign files, for tests of other workspaces. */
export { describeClassifier, readClassifierFile } from '../classifier/classifier-file.js';
export { encoderConfigOf, readWeightsFile } from '../classifier/weights-file.js';
