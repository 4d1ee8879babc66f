/** From RGB to planes of 4:2:0, by ITU-R BT.601 with luma in 16 … 235 and chroma in 16 … 240. */

const [RED, GREEN, BLUE] = [0.299, 0.587, 0.114];

/**
 * @param rgb [size, size, 3]; `size` is even.
 * @param target begins with the planes Y, U and V of the frame, which are written. The colour of four pixels is that of
 *   their mean.
 */
export function rgbToPlanes(rgb: Uint8Array, size: number, target: Uint8Array): void {
  const chroma = size / 2;
  const [u, v] = [size * size, size * size + chroma * chroma];
  for (let y = 0; y < size; y += 2) {
    for (let x = 0; x < size; x += 2) {
      let [red, green, blue] = [0, 0, 0];
      for (const place of [y * size + x, y * size + x + 1, (y + 1) * size + x, (y + 1) * size + x + 1]) {
        const [r, g, b] = [rgb[3 * place]!, rgb[3 * place + 1]!, rgb[3 * place + 2]!];
        target[place] = Math.round(16 + ((RED * r + GREEN * g + BLUE * b) * 219) / 255);
        red += r;
        green += g;
        blue += b;
      }
      const luma = RED * red + GREEN * green + BLUE * blue;
      const to = (y / 2) * chroma + x / 2;
      // U runs over ±(1 − blue's share) · 4 · 255, V likewise with red's.
      target[u + to] = Math.round(128 + ((blue - luma) * 112) / (255 * 4 * (1 - BLUE)));
      target[v + to] = Math.round(128 + ((red - luma) * 112) / (255 * 4 * (1 - RED)));
    }
  }
}
