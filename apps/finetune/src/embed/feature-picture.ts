import { pictureGrid, scatterChart } from '@tubelet/trainer';
import type { EmbeddedVideo } from './embed-file.js';
import { layOutFeatures, LAYOUT_TITLES, type LayoutOptions } from './embed-layout.js';

/** Features that one classifier has given. */
export interface FeatureSet {
  /** Above its panel; default: what is drawn. */
  readonly title?: string | undefined;
  readonly videos: readonly Pick<EmbeddedVideo, 'label' | 'predicted' | 'feature'>[];
  /** Of labels, or of predicted classes where there are no labels. */
  readonly names: readonly string[];
  /** Whether the colours are those of labels. */
  readonly isLabelled: boolean;
}

/** Features in the plane, one panel for each set, coloured by label, or by predicted class where there are no labels; SVG. */
export function featurePicture(
  sets: readonly FeatureSet[],
  options: LayoutOptions,
  tell: (line: string) => void,
): string {
  const charts = sets.map(({ title, videos, names, isLabelled }) => {
    const places = layOutFeatures(
      videos.map(({ feature }) => feature),
      options,
      tell,
    );
    const heading = `${LAYOUT_TITLES[options.layout ?? 'umap']} of ${videos.length} videos by ${isLabelled ? 'label' : 'predicted class'}`;
    return scatterChart({
      title: title === undefined ? heading : `${title}: ${videos.length} videos`,
      points: videos.map(({ label, predicted }, i) => {
        const [x, y] = places[i]!;
        return { x, y, label: isLabelled ? label : predicted };
      }),
      classNames: names,
    });
  });
  if (charts.length === 1) return charts[0]!;
  return pictureGrid(`${LAYOUT_TITLES[options.layout ?? 'umap']} of features, each panel by itself`, charts);
}
