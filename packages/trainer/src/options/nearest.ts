/** Letters to add, take out or change to make one word of another (Levenshtein, 1966). */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1];
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(row[j]! + Number(a[i] !== b[j]), row[j + 1]! + 1, next[j]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}

/** The word that somebody who wrote `word` most likely meant; undefined where none is like it. */
export function nearest(word: string, words: readonly string[]): string | undefined {
  const bare = word.replaceAll(/[-_]/g, '').toLowerCase();
  const ranked = words
    .map((other) => ({ other, off: distance(bare, other.replaceAll('-', '')) }))
    .sort((a, b) => a.off - b.off);
  const [best] = ranked;
  return best && best.off <= Math.max(1, 0.34 * bare.length) ? best.other : undefined;
}
