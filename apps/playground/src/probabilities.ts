/**
 * Okabe and Ito's colours (“Color Universal Design”, 2008), which differ with any colour vision. Orange and sky blue
 * are darker than theirs: all have a contrast of 3 with white, and with the dark ground.
 */
const COLOURS = ['#0072b2', '#c08400', '#009e73', '#cc79a7', '#3a9bdc', '#d55e00', '#8a7a00'];
/** Clips that the chart looks back on. */
const KEPT = 60;
const SVG = 'http://www.w3.org/2000/svg';
const [WIDTH, HEIGHT] = [600, 160];
/** The shortest time between two spoken results. */
const SPEAK_EVERY_MS = 4000;

/** The probabilities of classes: bars for now, lines for the last clips, and a sentence for screen readers. */
export class ProbabilityView {
  private readonly history: (readonly number[])[] = [];
  private lastClip: Uint8Array | undefined;
  private readonly bars: readonly Record<'item' | 'bar' | 'value', HTMLElement>[];
  private readonly lines: SVGPolylineElement[];
  private spokenMs = -Infinity;

  constructor(
    list: HTMLElement,
    chart: SVGSVGElement,
    private readonly spoken: HTMLElement,
    private readonly classNames: readonly string[],
  ) {
    chart.setAttribute('viewBox', `0 0 ${WIDTH} ${HEIGHT}`);
    this.bars = classNames.map((name, i) => {
      const [bar, value] = [element('span'), element('span', 'value')];
      bar.style.background = colourOf(i);
      const track = element('span', 'track');
      track.append(bar);
      const item = element('li');
      item.append(name, track, value);
      return { item, bar, value };
    });
    list.replaceChildren(...this.bars.map(({ item }) => item));
    this.lines = classNames.map((_, i) => {
      const line = document.createElementNS(SVG, 'polyline');
      line.setAttribute('stroke', colourOf(i));
      return line;
    });
    chart.replaceChildren(...this.lines);
  }

  /** Shows the probabilities of one more clip; of the one before, nothing is new. */
  show(clip: Uint8Array, probabilities: readonly number[]): void {
    if (clip === this.lastClip) return;
    this.lastClip = clip;
    this.history.push(probabilities);
    if (this.history.length > KEPT) this.history.shift();
    probabilities.forEach((probability, i) => {
      this.bars[i]!.bar.style.width = `${100 * probability}%`;
      this.bars[i]!.value.textContent = percent(probability);
      const points = this.history.map((one, x) => `${(x * WIDTH) / (KEPT - 1)},${(1 - one[i]!) * HEIGHT}`);
      this.lines[i]!.setAttribute('points', points.join(' '));
    });
    const now = performance.now();
    if (now - this.spokenMs < SPEAK_EVERY_MS) return;
    this.spokenMs = now;
    const top = probabilities.indexOf(Math.max(...probabilities));
    this.spoken.textContent = `Most likely: ${this.classNames[top]}, ${percent(probabilities[top]!)}`;
  }
}

function element(tag: string, className = ''): HTMLElement {
  return Object.assign(document.createElement(tag), { className });
}

const percent = (share: number) => `${Math.round(100 * share)} %`;
const colourOf = (i: number) => COLOURS[i % COLOURS.length]!;
