/** What a training leaves and takes, without its charts: durable writing, checkpoints, logs, tables of text. */
export {
  CheckpointCorruptError,
  CheckpointMismatchError,
  CheckpointReadError,
  ForeignFileError,
} from './checkpoint-errors.js';
export {
  checkpointDirectory,
  checkpointPath,
  latestCheckpoint,
  listCheckpoints,
} from './checkpoint-folder.js';
export { isCheckpoint, loadCheckpoint, saveCheckpoint, type CheckpointContent } from './checkpoint.js';
export { csvRecord } from './csv.js';
export { fileReader } from './file-reader.js';
export { FileWriteError, writeFileInPieces, writeTextFile, type FilePiece } from './file-write.js';
export { readPytorchFile } from './pytorch-file.js';
export { TensorBoardWriter } from './tensorboard.js';
export { textTable } from './text-table.js';
