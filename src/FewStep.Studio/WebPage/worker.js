// Samples beside the page, which so stays free; ending the worker ends its work.
import { drawLatents } from './noise.js';

const Runtimes = { wasm: './runtime/ort.wasm.min.mjs', webgpu: './runtime/ort.webgpu.min.mjs' };
const MostThreads = 8, ErrorsOnly = 3;

async function load(file) {
  const answer = await fetch(file);
  if (!answer.ok) throw new Error(`${file} was not found beside the page (${answer.status}).`);
  return new Uint8Array(await answer.arrayBuffer());
}

async function open(provider) {
  const ort = await import(Runtimes[provider]);
  // Threads share memory, which a browser allows to pages that are isolated from others only.
  const threads = self.crossOriginIsolated ? Math.min(MostThreads, navigator.hardwareConcurrency || 1) : 1;
  ort.env.wasm.numThreads = threads;
  ort.env.logLevel = 'error';
  const graph = await load('sampler.onnx');
  const session = await ort.InferenceSession.create(graph, { executionProviders: [provider], logSeverityLevel: ErrorsOnly });
  return { ort, session, threads };
}

async function sample({ ort, session }, seeds, labels, shape) {
  const dimension = shape.channels * shape.height * shape.width;
  const inputs = { latents: new ort.Tensor(
    'float32', drawLatents(seeds, dimension), [seeds.length, shape.channels, shape.height, shape.width]) };
  if (labels) inputs.labels = new ort.Tensor('int64', BigInt64Array.from(labels, BigInt), [labels.length]);
  const { images } = await session.run(inputs);
  const values = await images.getData();
  if (values.some(Number.isNaN)) throw new Error('An image holds NaN: the sampler diverged.');
  return values;
}

let opened = null;

self.addEventListener('message', async ({ data: { provider, batches, shape } }) => {
  try {
    opened ??= await open(provider);
    self.postMessage({ opened: { threads: opened.threads } });
    for (const { seeds, labels } of batches) {
      const start = performance.now();
      const values = await sample(opened, seeds, labels, shape);
      self.postMessage({ images: { seeds, labels, values, seconds: (performance.now() - start) / 1000 } });
    }

    self.postMessage({ done: true });
  } catch (failure) {
    self.postMessage({ failure: failure?.message ?? String(failure) });
  }
});
