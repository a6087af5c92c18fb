// A pipeline of Stable Diffusion over onnxruntime-node that knows nothing of FewStep: it opens an exported folder by the names that
// optimum and diffusers have for inputs, outputs and files, samples two golden prompts as diffusers' EulerDiscreteScheduler does
// (linspace spacing), and holds the images against diffusers' own.
//   npm install --no-save --prefix . onnxruntime-node
//   node sample.mjs EXPORTED-FOLDER ../FewStep.Tests/golden/pipelines/sd15-tiny
import fs from "node:fs";
import path from "node:path";
import zlib from "node:zlib";
import ort from "onnxruntime-node";

const [folder, golden] = process.argv.slice(2);
const json = (...parts) => JSON.parse(fs.readFileSync(path.join(...parts), "utf8"));

// Arrays of an .npz file, of float32 and int64.
function npz(file) {
  const bytes = fs.readFileSync(file), arrays = {};
  const end = bytes.lastIndexOf(Buffer.from([0x50, 0x4b, 5, 6]));
  for (let i = 0, at = bytes.readUInt32LE(end + 16); i < bytes.readUInt16LE(end + 10); i++) {
    const nameLength = bytes.readUInt16LE(at + 28), size = bytes.readUInt32LE(at + 20), start = bytes.readUInt32LE(at + 42);
    const name = bytes.toString("utf8", at + 46, at + 46 + nameLength).replace(".npy", "");
    const from = start + 30 + bytes.readUInt16LE(start + 26) + bytes.readUInt16LE(start + 28);
    const stored = bytes.subarray(from, from + size), npy = bytes.readUInt16LE(at + 10) === 8 ? zlib.inflateRawSync(stored) : stored;
    const text = npy.toString("latin1", 10, 10 + npy.readUInt16LE(8)), values = Uint8Array.from(npy.subarray(10 + npy.readUInt16LE(8)));
    const shape = text.match(/'shape': \(([^)]*)\)/)[1].split(",").filter(s => s.trim()).map(Number);
    const type = { "<f4": Float32Array, "<i8": BigInt64Array, "|u1": Uint8Array }[text.match(/'descr': '([^']*)'/)[1]];
    arrays[name] = { shape, data: new type(values.buffer) };
    at += 46 + nameLength + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return arrays;
}

const makers = {
  float32: v => Float32Array.from(v, Number), int32: v => Int32Array.from(v, Number), int64: v => BigInt64Array.from(v, BigInt),
};
async function run(part, given) {
  const file = path.join(folder, part, "model.onnx");
  const session = run[part] ??= await ort.InferenceSession.create(file);
  const feeds = {};
  for (const input of session.inputMetadata) {
    const { data, shape } = given[input.name] ?? (() => { throw new Error(`${file} asks for ${input.name}`); })();
    feeds[input.name] = new ort.Tensor(input.type, makers[input.type](data), shape);
  }
  return session.run(feeds);
}

const reference = npz(path.join(golden, "sampling-euler4.golden.npz")), texts = json(golden, "tokenizer.golden.json");
const ids = index => texts[index].padded77, B = reference.latents.shape[0];
const empty = texts.findIndex(t => t.text === "");
const prompts = [ids(empty), ids(empty), ids(0), ids(2)]; // without, then with
const context = await run("text_encoder", { input_ids: { data: prompts.flat(), shape: [2 * B, 77] } });
const states = context.last_hidden_state;

const scheduler = json(folder, "scheduler", "scheduler_config.json"), T = scheduler.num_train_timesteps;
let product = 1;
const sigmas = Array.from({ length: T }, (_, t) => {
  const [low, high] = [scheduler.beta_start, scheduler.beta_end].map(b => scheduler.beta_schedule === "scaled_linear" ? Math.sqrt(b) : b);
  const beta = low + (high - low) * t / (T - 1);
  product *= 1 - (scheduler.beta_schedule === "scaled_linear" ? beta * beta : beta);
  return Math.sqrt((1 - product) / product);
});
const times = [3, 2, 1, 0].map(i => i * (T - 1) / 3), levels = [...times.map(t => sigmas[t]), 0];
const guidance = Number(reference.guidance_scale.data[0]), size = reference.latents.data.length;
let x = Float64Array.from(reference.latents.data, v => v * levels[0]);
for (let i = 0; i < times.length; i++) {
  const scaled = x.map(v => v / Math.sqrt(levels[i] ** 2 + 1)), shape = [2 * B, ...reference.latents.shape.slice(1)];
  const made = (await run("unet", {
    sample: { data: [...scaled, ...scaled], shape }, timestep: { data: [times[i]], shape: [1] },
    encoder_hidden_states: { data: states.data, shape: states.dims },
  })).out_sample.data;
  x = x.map((v, k) => v + (levels[i + 1] - levels[i]) * (made[k] + guidance * (made[size + k] - made[k])));
}

const factor = json(folder, "vae_decoder", "config.json").scaling_factor;
const image = (await run("vae_decoder", { latent_sample: { data: x.map(v => v / factor), shape: reference.latents.shape } })).sample;
const most = reference.image.data.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
const error = image.data.reduce((a, v, k) => Math.max(a, Math.abs(v - reference.image.data[k])), 0) / most;
console.log(`images [${image.dims}] differ from diffusers' by ${error.toExponential(1)} of the largest value`);
process.exitCode = error <= 1e-4 ? 0 : 1;
