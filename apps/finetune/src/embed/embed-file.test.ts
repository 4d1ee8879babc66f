import { describe, expect, it } from 'vitest';
import { decodeSafetensors } from '@tubelet/autograd/formats';
import { featurePieces, type EmbeddedVideo, type FeatureFormat, type FeatureNames } from './embed-file.js';

const videos: EmbeddedVideo[] = [
  {
    id: 'a,1.mp4',
    label: 1,
    predicted: 0,
    probabilities: [0.75, 0.25],
    feature: new Float32Array([0.1, -1e-9, 16777216]),
  },
  {
    id: 'b.mp4',
    label: null,
    predicted: 1,
    probabilities: [0.5, 0.5],
    feature: new Float32Array([1 / 3, 2, 0]),
  },
];
const labelled: FeatureNames = { classNames: ['glad', 'sad'], labelNames: ['happy', 'angry'] };
const unlabelled: FeatureNames = { ...labelled, labelNames: null };

async function bytesOf(format: FeatureFormat, names: FeatureNames): Promise<Buffer> {
  const source = (async function* () {
    for (const video of videos)
      yield await Promise.resolve(names.labelNames ? video : { ...video, label: null });
  })();
  const pieces: Buffer[] = [];
  for await (const piece of featurePieces(format, source, names)) pieces.push(Buffer.from(piece));
  return Buffer.concat(pieces);
}

describe('a file of features', () => {
  it('as safetensors has a row for each video, and names in its metadata', async () => {
    const { tensors, metadata } = decodeSafetensors(await bytesOf('safetensors', labelled));
    expect(tensors.get('features')).toMatchObject({ dtype: 'F32', shape: [2, 3] });
    const features = Float32Array.from(videos.flatMap(({ feature }) => [...feature]));
    expect(tensors.get('features')!.data).toEqual(features);
    expect(tensors.get('probabilities')!.data).toEqual(new Float32Array([0.75, 0.25, 0.5, 0.5]));
    expect(tensors.get('predicted')!.data).toEqual(new Int32Array([0, 1]));
    expect(tensors.get('labels')!.data).toEqual(new Int32Array([1, -1]));
    expect(JSON.parse(metadata.ids!)).toEqual(['a,1.mp4', 'b.mp4']);
    expect(JSON.parse(metadata.classNames!)).toEqual(['glad', 'sad']);
    expect(JSON.parse(metadata.labelNames!)).toEqual(['happy', 'angry']);
  });

  it('as safetensors has no labels where none is known', async () => {
    const { tensors, metadata } = decodeSafetensors(await bytesOf('safetensors', unlabelled));
    expect([...tensors.keys()].sort()).toEqual(['features', 'predicted', 'probabilities']);
    expect(Object.keys(metadata).sort()).toEqual(['classNames', 'ids']);
  });

  it('as CSV has numbers that give the same single-precision values again', async () => {
    const lines = (await bytesOf('csv', labelled)).toString().trimEnd().split('\n');
    expect(lines).toEqual([
      'id,label,predicted,f0,f1,f2',
      '"a,1.mp4",angry,glad,0.1,-1e-9,16777216',
      'b.mp4,,sad,0.33333334,2,0',
    ]);
    const values = lines[2]!.split(',').slice(3).map(Number);
    expect(new Float32Array(values)).toEqual(videos[1]!.feature);
    const [header, first] = (await bytesOf('csv', unlabelled)).toString().split('\n');
    expect(header).toBe('id,predicted,f0,f1,f2');
    expect(first).toBe('"a,1.mp4",glad,0.1,-1e-9,16777216');
  });

  it('as JSON lines has an object for each video', async () => {
    const lines = (await bytesOf('jsonl', labelled)).toString().trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual([
      { id: 'a,1.mp4', label: 'angry', predicted: 'glad', feature: [0.1, -1e-9, 16777216] },
      { id: 'b.mp4', predicted: 'sad', feature: [0.33333334, 2, 0] },
    ]);
  });
});
