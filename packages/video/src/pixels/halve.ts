/** Halving of large frames before they go to the GPU: the mean of two neighbours, in whole numbers. */
/** Bytes of an image with interleaved channels. */
export interface Plane {
  readonly data: Uint8Array;
  readonly width: number;
  readonly height: number;
  readonly channels: number;
}

function resized(plane: Plane, width: number, height: number): Plane {
  const data = new Uint8Array(width * height * plane.channels);
  return { ...plane, data, width, height };
}

/** Every two pixels of a row become their mean, halves rounded up. The width is even. */
export function halveColumns(plane: Plane): Plane {
  const { data, channels } = plane;
  const result = resized(plane, plane.width / 2, plane.height);
  const to = result.data;
  for (let pixel = 0, i = 0; i < to.length; pixel += 2 * channels) {
    for (let c = 0; c < channels; c++, i++) {
      to[i] = (data[pixel + c]! + data[pixel + channels + c]! + 1) >> 1;
    }
  }
  return result;
}

/** Every two rows become their mean, halves rounded up. The height is even. */
export function halveRows(plane: Plane): Plane {
  const { data, channels } = plane;
  const result = resized(plane, plane.width, plane.height / 2);
  const rowBytes = plane.width * channels;
  const to = result.data;
  for (let y = 0, i = 0; y < result.height; y++) {
    let above = 2 * y * rowBytes;
    for (const end = i + rowBytes; i < end; i++, above++)
      to[i] = (data[above]! + data[above + rowBytes]! + 1) >> 1;
  }
  return result;
}
