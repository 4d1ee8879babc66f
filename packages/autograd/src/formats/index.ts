/** Formats of weights as bytes, in Node and in pages: safetensors, and what PyTorch writes. */
export { CheckpointFormatError, HostilePickleError } from './pytorch-errors.js';
export { requireHarmless } from './hostile-pickle.js';
export {
  readPytorchCheckpoint,
  type CheckpointSetting,
  type PytorchCheckpoint,
} from './pytorch-checkpoint.js';
export {
  SafetensorsError,
  type SafetensorsData,
  type SafetensorsDtype,
  type SafetensorsEntry,
  type SafetensorsFileDtype,
  type SafetensorsHeader,
  type SafetensorsTensor,
} from './safetensors-header.js';
export {
  decodeSafetensors,
  encodeSafetensors,
  encodeSafetensorsChunks,
  readSafetensorsHeader,
  readSafetensorsTensor,
  safetensorsFloat32,
  type ByteReader,
  type SafetensorsContent,
} from './safetensors.js';
