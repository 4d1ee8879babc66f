/** Affine maps of an image, as Pillow makes them. */
import type { AffineMatrix } from '@tubelet/kernels';

export type { AffineMatrix };

const to15Digits = (value: number) => Number(value.toFixed(15));

/** Turns an image about its middle, counter-clockwise. */
export function rotation(degrees: number, width: number, height: number): AffineMatrix {
  const turn = degrees % 360;
  const angle = (-(turn < 0 ? turn + 360 : turn) * Math.PI) / 180;
  const [cosine, sine] = [to15Digits(Math.cos(angle)), to15Digits(Math.sin(angle))];
  const minusSine = to15Digits(-Math.sin(angle));
  const [middleX, middleY] = [width / 2, height / 2];
  return [
    cosine,
    sine,
    cosine * -middleX + sine * -middleY + middleX,
    minusSine,
    cosine,
    minusSine * -middleX + cosine * -middleY + middleY,
  ];
}
