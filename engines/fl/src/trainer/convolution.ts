import type { ConvolutionShape } from './model-spec.ts';

/** Copies the patch under each position of the kernel to a row of `patches`; an image is height x width x channels, beyond its edge is 0. */
export function patchesOf(shape: ConvolutionShape, image: Float32Array, start: number, patches: Float32Array): void {
  overPatches(shape, (to, from, length) => {
    if (from === undefined) patches.fill(0, to, to + length);
    else for (let at = 0; at < length; at += 1) patches[to + at] = image[start + from + at] as number;
  });
}

/** Adds each patch's values to where they came from, in an `image` that is cleared first. */
export function addPatches(shape: ConvolutionShape, patches: Float32Array, image: Float32Array): void {
  image.fill(0);
  overPatches(shape, (to, from, length) => {
    if (from === undefined) return;
    for (let at = 0; at < length; at += 1)
      image[from + at] = (image[from + at] as number) + (patches[to + at] as number);
  });
}

/** Visits each pixel of each patch: its place in the patches, its place in the image (undefined: beyond the edge), and its channels. */
function overPatches(
  { kernel, stride, padding, inputHeight, inputWidth, inputChannels, height, width }: ConvolutionShape,
  visit: (to: number, from: number | undefined, length: number) => void,
): void {
  let to = 0;
  for (let position = 0; position < height * width; position += 1) {
    const top = Math.floor(position / width) * stride - padding;
    const left = (position % width) * stride - padding;
    for (let pixel = 0; pixel < kernel * kernel; pixel += 1, to += inputChannels) {
      const y = top + Math.floor(pixel / kernel);
      const x = left + (pixel % kernel);
      const isInside = y >= 0 && y < inputHeight && x >= 0 && x < inputWidth;
      visit(to, isInside ? (y * inputWidth + x) * inputChannels : undefined, inputChannels);
    }
  }
}

/** The maximum over 2x2 with stride 1 of a layer's outputs; `winners` gets the place of each. */
export function poolMaxima(
  { height, width, filters }: ConvolutionShape,
  values: Float32Array,
  maxima: Float32Array,
  winners: Uint32Array,
): void {
  let to = 0;
  for (let y = 0; y + 1 < height; y += 1)
    for (let x = 0; x + 1 < width; x += 1)
      for (let filter = 0; filter < filters; filter += 1, to += 1) {
        const first = (y * width + x) * filters + filter;
        let winner = first;
        for (const other of [first + filters, first + width * filters, first + (width + 1) * filters])
          if ((values[other] as number) > (values[winner] as number)) winner = other;
        maxima[to] = values[winner] as number;
        winners[to] = winner;
      }
}

/** Hands each maximum's slope back to its winner, in `target`, which is cleared first. */
export function spreadMaxima(slopes: Float32Array, winners: Uint32Array, target: Float32Array): void {
  target.fill(0);
  for (const [at, winner] of winners.entries()) target[winner] = (target[winner] as number) + (slopes[at] as number);
}
