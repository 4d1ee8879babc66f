/** Which sizes the frames of a data set have. */
import type { LabelledVideo } from '../dataset.js';
import { finding, type Finding } from './finding.js';
import { placeOf } from './inspect-clip.js';

/** So small a share of the clips makes a size a slip rather than a property of the data set. */
const RARE_SHARE = 0.05;

/** How many clips have frames of a size. */
export interface FrameSizeCount {
  readonly width: number;
  readonly height: number;
  readonly clips: number;
  /** One of them. */
  readonly example: string;
}

/** Collects the sizes of the first frames of clips. */
export class FrameSizes {
  private readonly bySize = new Map<string, { width: number; height: number; videos: LabelledVideo[] }>();

  add(video: LabelledVideo, { width, height }: { readonly width: number; readonly height: number }): void {
    const key = `${width}×${height}`;
    const known = this.bySize.get(key);
    if (known === undefined) this.bySize.set(key, { width, height, videos: [video] });
    else known.videos.push(video);
  }

  /** The most frequent first. */
  counts(): FrameSizeCount[] {
    return this.sorted().map(({ width, height, videos }) => ({
      width,
      height,
      clips: videos.length,
      example: videos[0]!.id,
    }));
  }

  /** Clips of sizes that few others have. */
  findings(): Finding[] {
    const [usual, ...others] = this.sorted();
    if (usual === undefined) return [];
    const clipCount = [usual, ...others].reduce((sum, { videos }) => sum + videos.length, 0);
    const rare = others.filter(({ videos }) => videos.length <= RARE_SHARE * clipCount);
    return rare.flatMap(({ width, height, videos }) =>
      videos.map((video) =>
        finding('odd-size', {
          where: placeOf(video),
          problem: `its frames are ${width}×${height}, and most others ${usual.width}×${usual.height}`,
          remedy: 'See whether this clip was made in the same way as the others',
        }),
      ),
    );
  }

  private sorted() {
    return [...this.bySize.values()].sort((a, b) => b.videos.length - a.videos.length);
  }
}
