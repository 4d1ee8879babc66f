import { ShardMaker } from '@tubelet/video';

/** Writes videos into shards as `tubelet prepare` does by default, with the crop of VoxCeleb2. */
export async function makeShards(folder: string, paths: readonly string[]): Promise<void> {
  const maker = await ShardMaker.open({
    ...{ entries: paths.map((path) => ({ path })), size: 160, crop: 'voxceleb' },
    ...{ keyFrameInterval: 4, shardBytes: 2 ** 30 },
  });
  try {
    await maker.write(
      folder,
      false,
      () => {},
      () => false,
    );
  } finally {
    await maker.close();
  }
}
