// The page: what is asked for, a worker that samples it, and what it sends.
import { field, find, make, options } from './elements.js';
import { tile } from './images.js';
import { duration, significant } from './numbers.js';

const Batch = 8, MostImages = 256, MostSeed = 2 ** 32 - 1, Columns = 8;
const BySeed = 'seed', NoClass = 'none';
const Providers = {
  wasm: { name: 'WASM', about: 'the processor' },
  webgpu: { name: 'WebGPU', about: 'the graphics card' },
};

let about, worker = null, workerProvider = null, run = null, saved = null;
const count = (number, noun) => `${number} ${noun}${number === 1 ? '' : 's'}`;
const megabytes = bytes => `${significant(bytes / 1e6, 2)} MB`;

function show(failure) {
  find('error').textContent = failure ?? '';
  find('error').hidden = failure === null;
}

function className(label) {
  return label === about.classes ? 'no class' : about.class_names?.[label] ?? `class ${label}`;
}

// The provider, where the browser has an adapter for it.
async function providers() {
  const adapter = await navigator.gpu?.requestAdapter().catch(() => null);
  return Object.keys(Providers).filter(name => name === 'wasm' || adapter);
}

async function lay() {
  document.title = `${about.model} in ${count(about.steps, 'step')}`;
  find('title').textContent = document.title;
  find('about').textContent = `${about.sampler}: ${count(about.evaluations, 'network evaluation')} an image of `
    + `${about.width} × ${about.height}. Everything is computed in this browser.`;
  find('made').textContent = `Made by FewStep ${about.version}, evaluated by ONNX Runtime Web ${about.runtime_version} (MIT licence).`
    + (about.license ? ` Licence of the weights: ${about.license}.` : '');
  find('same').hidden = about.weights_type !== 'float32';
  const whole = (id, value, min, max) => make('input', { id, type: 'number', value, min, max, step: 1, required: true });
  const fields = find('fields');
  fields.append(
    field('First seed', whole('seed', 0, 0, MostSeed)), field('Images', whole('count', Math.min(16, MostImages), 1, MostImages)));
  if (about.classes > 0) {
    fields.append(field('Class', make('select', { id: 'label' }, options([
      [BySeed, 'by seed'], ...Array.from({ length: about.classes }, (_, label) => [label, className(label)]),
      ...about.knows_no_class ? [[NoClass, 'no class']] : [],
    ], BySeed))));
  }

  const choices = await providers();
  fields.append(field('Computed by', make('select', { id: 'provider' },
    options(choices.map(n => [n, Providers[n].name, Providers[n].about]), 'wasm'))));
  tellCost();
  find('provider').addEventListener('change', tellCost);
}

function tellCost() {
  if (workerProvider === find('provider').value) return;
  const bytes = about.bytes.sampler + about.bytes[find('provider').value];
  find('status').textContent = `Sampling loads ${megabytes(bytes)} first, once.`;
}

// As the command line: seed mod classes, where no class is asked for.
function labelsOf(seeds) {
  if (about.classes === 0) return null;
  const { value } = find('label');
  return seeds.map(seed => value === BySeed ? seed % about.classes : value === NoClass ? about.classes : Number(value));
}

function batches() {
  const first = Number(find('seed').value), number = Number(find('count').value);
  if (first + number - 1 > MostSeed) throw new Error(`The last seed, ${first + number - 1}, is more than ${MostSeed}.`);
  return Array.from({ length: Math.ceil(number / Batch) }, (_, i) => {
    const seeds = Array.from({ length: Math.min(Batch, number - i * Batch) }, (_, k) => first + i * Batch + k);
    return { seeds, labels: labelsOf(seeds) };
  });
}

// floor(127.5 x + 128) in float32, as the command line writes images.
function pixels(values, index) {
  const { channels, width, height } = about, plane = width * height, from = index * channels * plane;
  const image = new ImageData(width, height);
  for (let i = 0; i < plane; i++) {
    for (let c = 0; c < 3; c++) {
      const value = values[from + (channels === 1 ? 0 : c * plane) + i];
      image.data[4 * i + c] = Math.floor(Math.fround(Math.fround(value * 127.5) + 128));
    }

    image.data[4 * i + 3] = 255;
  }

  return image;
}

function add({ seeds, labels, values, seconds }) {
  if (run.images === 0) find('images').replaceChildren();
  seeds.forEach((seed, i) => {
    const name = labels ? `${seed}, ${className(labels[i])}` : `${seed}`;
    const canvas = tile(`Image of seed ${name}`, about.width, about.height);
    canvas.getContext('2d', { willReadFrequently: true }).putImageData(pixels(values, i), 0, 0);
    find('images').append(make('figure', {}, canvas, make('figcaption', { title: name }, name)));
  });
  run.images += seeds.length;
  run.seconds += seconds;
  find('status').textContent = `${run.images} of ${count(run.wanted, 'image')}.`;
  const figure = (value, text) => make('div', { class: 'tile' }, make('p', { class: 'figure' }, value), text);
  find('figures').replaceChildren(
    figure(`${run.images * about.evaluations}`, `network evaluations, ${about.evaluations} an image`),
    figure(duration(run.seconds), `with ${count(run.threads, 'thread')}`),
    figure(significant(run.images / run.seconds), 'images a second'));
}

function end(status) {
  run = null;
  find('sample').disabled = false;
  find('stop').disabled = true;
  find('save').disabled = document.querySelector('#images canvas') === null;
  find('images').classList.remove('stale');
  find('images').setAttribute('aria-busy', 'false');
  find('status').textContent = status;
}

function drop() {
  worker?.terminate();
  worker = workerProvider = null;
}

function receive({ opened, images, done, failure }) {
  if (run === null) return;
  if (opened) {
    run.threads = opened.threads;
    find('status').textContent = 'Sampling.';
  } else if (images) add(images);
  else if (done) {
    end(`${count(run.images, 'image')} of seeds ${find('images').dataset.seeds} in ${duration(run.seconds)} by `
      + `${Providers[workerProvider].name}, ${count(run.threads, 'thread')}.`);
  } else fail(failure);
}

function fail(text) {
  drop();
  show(text);
  end('');
}

function start(event) {
  event.preventDefault();
  show(null);
  try {
    const asked = batches(), { value: provider } = find('provider');
    if (workerProvider !== provider) {
      drop();
      worker = new Worker('worker.js', { type: 'module' });
      worker.addEventListener('message', message => receive(message.data));
      worker.addEventListener('error', error => fail(`The sampler could not be started: ${error.message ?? 'a file is missing'}.`));
      workerProvider = provider;
      find('status').textContent = 'Loading the sampler.';
    }

    const seeds = asked.flatMap(batch => batch.seeds);
    run = { images: 0, seconds: 0, wanted: seeds.length, threads: 1 };
    find('images').dataset.seeds = seeds.length > 1 ? `${seeds[0]}-${seeds.at(-1)}` : `${seeds[0]}`;
    find('images').classList.add('stale');
    find('images').setAttribute('aria-busy', 'true');
    find('sample').disabled = find('save').disabled = true;
    find('stop').disabled = false;
    worker.postMessage({ provider, batches: asked, shape: { channels: about.channels, height: about.height, width: about.width } });
  } catch (failure) {
    fail(failure.message);
  }
}

function stop() {
  drop();
  end(run.images > 0 ? `Stopped after ${count(run.images, 'image')}.` : 'Stopped.');
}

// All images as one picture, in rows of eight.
async function save() {
  const canvases = [...document.querySelectorAll('#images canvas')], columns = Math.min(Columns, canvases.length);
  const sheet = make('canvas', { width: columns * about.width, height: Math.ceil(canvases.length / columns) * about.height });
  const context = sheet.getContext('2d');
  canvases.forEach((canvas, i) => context.drawImage(canvas, (i % columns) * about.width, Math.floor(i / columns) * about.height));
  const blob = await new Promise(resolve => { sheet.toBlob(resolve, 'image/png'); });
  if (saved) URL.revokeObjectURL(saved);
  saved = URL.createObjectURL(blob);
  make('a', { href: saved, download: `seeds-${find('images').dataset.seeds}.png` }).click();
}

find('unserved').hidden = true;
find('page').hidden = false;
find('form').addEventListener('submit', start);
find('stop').addEventListener('click', stop);
find('save').addEventListener('click', save);
try {
  const answer = await fetch('sampler.json');
  if (!answer.ok) throw new Error(`sampler.json was not found beside the page (${answer.status}).`);
  about = await answer.json();
  await lay();
  find('sample').disabled = false;
} catch (failure) {
  show(failure.message);
}
