/** A thread that finds faces, by the packages of the installation in the cache folder. */
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';
import type { DetectorRequest, DetectorResponse, DetectorSetup } from './detector-protocol.js';
import type { Face, Point } from './face.js';

/** Edge of the square that the detector brings images to: a multiple of 32. */
const INPUT_PIXELS = 416;
/** Low: the tracker decides what to believe. */
const LEAST_SCORE = 0.25;

interface Tensor {
  dispose(): void;
}
interface Tensorflow {
  setBackend(name: string): Promise<boolean>;
  ready(): Promise<void>;
  tensor3d(values: Uint8Array, shape: readonly number[], type: 'int32'): Tensor;
}
interface WasmBackend {
  setWasmPaths(folder: string): void;
  setThreadsCount(count: number): void;
}
interface Net {
  loadFromDisk(folder: string): Promise<void>;
}
interface Found {
  readonly detection: { readonly score: number };
  readonly landmarks: { readonly positions: readonly Point[] };
}
interface FaceApi {
  readonly nets: { readonly tinyFaceDetector: Net; readonly faceLandmark68Net: Net };
  readonly TinyFaceDetectorOptions: new (options: { inputSize: number; scoreThreshold: number }) => object;
  detectAllFaces(image: Tensor, options: object): { withFaceLandmarks(): Promise<Found[]> };
}

const { folder, weights } = workerData as DetectorSetup;
const require = createRequire(join(folder, 'package.json'));
const tensorflow = require('@tensorflow/tfjs') as Tensorflow;
const wasm = require('@tensorflow/tfjs-backend-wasm') as WasmBackend;
const binary = require.resolve('@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm');
wasm.setWasmPaths(`${dirname(binary)}/`);
wasm.setThreadsCount(1);
const faceApi = require('@vladmandic/face-api/dist/face-api.node-wasm.js') as FaceApi;
await tensorflow.setBackend('wasm');
await tensorflow.ready();
await faceApi.nets.tinyFaceDetector.loadFromDisk(weights);
await faceApi.nets.faceLandmark68Net.loadFromDisk(weights);
const options = new faceApi.TinyFaceDetectorOptions({ inputSize: INPUT_PIXELS, scoreThreshold: LEAST_SCORE });

function middle(points: readonly Point[]): Point {
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  return { x: mean(points.map(({ x }) => x)), y: mean(points.map(({ y }) => y)) };
}

/** Of the 68 landmarks, 36 to 41 and 42 to 47 go around the eyes; 48 and 54 are the corners of the mouth. */
function toFace({ detection, landmarks: { positions } }: Found): Face {
  return {
    score: detection.score,
    leftEye: middle(positions.slice(36, 42)),
    rightEye: middle(positions.slice(42, 48)),
    mouth: middle([positions[48]!, positions[54]!]),
  };
}

async function answer({ id, image: { pixels, width, height } }: DetectorRequest): Promise<DetectorResponse> {
  const image = tensorflow.tensor3d(pixels, [height, width, 3], 'int32');
  try {
    const found = await faceApi.detectAllFaces(image, options).withFaceLandmarks();
    return { kind: 'faces', id, faces: found.map(toFace) };
  } catch (error) {
    return { kind: 'failure', id, message: (error as Error).message };
  } finally {
    image.dispose();
  }
}

const say = (response: DetectorResponse) => parentPort!.postMessage(response);
parentPort!.on('message', (request: DetectorRequest) => void answer(request).then(say));
say({ kind: 'ready' });
