/**
 * Runs the WebAssembly build of ffmpeg (`@ffmpeg/core`) in this thread.
 *
 * The module is compiled once (about 0.1 s) and every run gets an instance of its own (about 7 ms): one instance
 * kept for many runs loses stack at each, carries options over from one run to the next, and dies of an
 * out-of-bounds access after some fifty runs.
 */
import { closeSync, fstatSync, openSync, readSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { extname } from 'node:path';
import type { WasmFfmpeg } from './ffmpeg.js';
import type { FilePart } from '../decode/video-info.js';
import { GLOBAL_OPTIONS, type FfmpegJob, type FfmpegResult, type FfmpegRunner } from './runner.js';

interface StreamOperations {
  read(stream: unknown, buffer: Int8Array, offset: number, length: number, position: number): number;
}

interface FileSystem {
  writeFile(path: string, data: Uint8Array): void;
  readFile(path: string): Uint8Array<ArrayBuffer>;
  lookupPath(path: string): { node: { stream_ops: StreamOperations; usedBytes: number } };
  makedev(major: number, minor: number): number;
  registerDevice(
    device: number,
    operations: {
      open(): void;
      close(): void;
      write(stream: unknown, buffer: Int8Array, offset: number, length: number): number;
    },
  ): void;
  mkdev(path: string, device: number): void;
}

/** An instance of the module, with a file system of its own in memory. */
export interface WasmCore {
  FS: FileSystem;
  exec(...args: string[]): number;
  setLogger(logger: (entry: { type: string; message: string }) => void): void;
}

type CreateCore = (overrides: {
  wasmBinary: Uint8Array;
  instantiateWasm(
    imports: WebAssembly.Imports,
    receive: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): WebAssembly.Exports;
}) => Promise<WasmCore>;

const OUTPUT_DEVICE = '/output';
/** Any free device number of the emulated file system. */
const OUTPUT_DEVICE_MAJOR = 64;

const compiledModules = new Map<string, Promise<WebAssembly.Module>>();

/** Compiles the WebAssembly module, once in this thread's life; it can be sent to worker threads. */
export function compileWasmFfmpeg(ffmpeg: WasmFfmpeg): Promise<WebAssembly.Module> {
  let compiled = compiledModules.get(ffmpeg.wasmPath);
  if (compiled === undefined) {
    compiled = WebAssembly.compile(readFileSync(ffmpeg.wasmPath));
    compiledModules.set(ffmpeg.wasmPath, compiled);
  }
  return compiled;
}

function loadScript(ffmpeg: WasmFfmpeg): CreateCore {
  // The script believes that it lives in a browser's worker.
  const scope = globalThis as unknown as { self?: unknown; location?: unknown };
  scope.self ??= globalThis;
  scope.location ??= { href: 'file:///' };
  return createRequire(import.meta.url)(ffmpeg.scriptPath) as CreateCore;
}

/** Shows a file of this machine to the emulated file system without copying it into memory. */
function mountFile(fs: FileSystem, path: string, fileDescriptor: number, part?: FilePart): void {
  fs.writeFile(path, new Uint8Array(0));
  const { node } = fs.lookupPath(path);
  const begin = part?.begin ?? 0;
  const lengthBytes = part?.length ?? fstatSync(fileDescriptor).size;
  Object.defineProperty(node, 'usedBytes', { get: () => lengthBytes });
  node.stream_ops = {
    ...node.stream_ops,
    read: (_stream, buffer, offset, length, position) =>
      position >= lengthBytes
        ? 0
        : readSync(
            fileDescriptor,
            buffer,
            offset,
            Math.min(length, lengthBytes - position),
            begin + position,
          ),
  };
}

/** Gives a function that makes a fresh instance, for one run of ffmpeg. */
export async function wasmInstances(
  ffmpeg: WasmFfmpeg,
  compiled?: WebAssembly.Module,
): Promise<() => Promise<WasmCore>> {
  const wasmModule = compiled ?? (await compileWasmFfmpeg(ffmpeg));
  const createCore = loadScript(ffmpeg);
  return () =>
    createCore({
      wasmBinary: new Uint8Array(0),
      instantiateWasm(imports, receive) {
        const instance = new WebAssembly.Instance(wasmModule, imports);
        receive(instance, wasmModule);
        return instance.exports;
      },
    });
}

export async function createWasmRunner(
  ffmpeg: WasmFfmpeg,
  compiled?: WebAssembly.Module,
): Promise<FfmpegRunner> {
  const instantiate = await wasmInstances(ffmpeg, compiled);

  return {
    passEveryFrame: ['-fps_mode', 'passthrough'],
    async run(job: FfmpegJob): Promise<FfmpegResult> {
      const core = await instantiate();
      const log: string[] = [];
      core.setLogger(({ message }) => log.push(message));
      let failure: { error: unknown } | undefined;
      const { path, part } = job.input;
      const fileDescriptor = openSync(part?.path ?? path, 'r');
      try {
        const input = `/input${extname(path)}`;
        mountFile(core.FS, input, fileDescriptor, part);
        const device = core.FS.makedev(OUTPUT_DEVICE_MAJOR, 0);
        core.FS.registerDevice(device, {
          open() {},
          close() {},
          write(_stream, buffer, offset, length) {
            if (failure !== undefined) return length;
            try {
              job.onOutput(new Uint8Array(buffer.buffer, buffer.byteOffset + offset, length));
            } catch (error) {
              failure = { error };
            }
            return length;
          },
        });
        core.FS.mkdev(OUTPUT_DEVICE, device);
        let exitCode: number;
        try {
          exitCode = core.exec(
            ...GLOBAL_OPTIONS,
            ...(job.inputOptions ?? []),
            '-i',
            input,
            ...job.outputOptions,
            OUTPUT_DEVICE,
          );
        } catch (error) {
          // A trap in the module (out of memory, a defect set off by a damaged file): that file has failed.
          exitCode = -1;
          log.push(error instanceof Error ? error.message : String(error));
        }
        if (failure !== undefined) throw failure.error;
        return { exitCode, log: log.join('\n') };
      } finally {
        closeSync(fileDescriptor);
      }
    },
  };
}
