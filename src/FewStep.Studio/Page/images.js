// Pictures that hold many images in a grid, and what is drawn of them.
import { make } from './elements.js';

// A decoded picture of equally large images.
export async function picture(base64, width, height, columns) {
  const image = new Image();
  image.src = `data:image/png;base64,${base64}`;
  await image.decode();
  return { image, width, height, columns };
}

export function tile(label, width, height) {
  return make('canvas', { width, height, role: 'img', 'aria-label': label });
}

export function drawImage(canvas, from, index, left = 0, right = 1) {
  const { image, width, height, columns } = from;
  const x = (index % columns) * width, y = Math.floor(index / columns) * height;
  const begin = Math.round(left * width), size = Math.round(right * width) - begin;
  if (size > 0) canvas.getContext('2d').drawImage(image, x + begin, y, size, height, begin, 0, size, height);
}

// A to the left of the divide, B to its right.
export function drawDivided(canvas, a, b, index, share) {
  drawImage(canvas, a, index, 0, share);
  drawImage(canvas, b, index, share, 1);
}

// How far B is from A in each value: as bright as it is far, times a factor.
export function drawDifference(canvas, a, b, index, factor) {
  const context = canvas.getContext('2d', { willReadFrequently: true }), { width, height } = a;
  drawImage(canvas, a, index);
  const first = context.getImageData(0, 0, width, height);
  drawImage(canvas, b, index);
  const second = context.getImageData(0, 0, width, height);
  let largest = 0;
  for (let i = 0; i < first.data.length; i++) {
    if (i % 4 === 3) continue;
    const difference = Math.abs(first.data[i] - second.data[i]);
    largest = Math.max(largest, difference);
    second.data[i] = Math.min(255, factor * difference);
  }
  context.putImageData(second, 0, 0);
  return largest;
}
