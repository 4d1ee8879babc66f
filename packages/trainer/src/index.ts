export * from './checkpoint';
export * from './checkpoint-errors';
export * from './checkpoint-folder';
export { OptionError, UserError } from './errors';
export { FileWriteError, writeTextFile, type WriteFileSystem, type WriteHandle } from './file-write';
