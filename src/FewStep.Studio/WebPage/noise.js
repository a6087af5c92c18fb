// Unit noise from an image's seed, as the command line draws it: MT19937 and libtorch's normal numbers.
const Size = 624, Shift = 397, Block = 16, Half = Block / 2;
const { fround } = Math; // every step that libtorch rounds to float32

class MersenneTwister {
  constructor(seed) {
    this.state = new Uint32Array(Size);
    this.next = Size;
    this.state[0] = seed;
    for (let i = 1; i < Size; i++) {
      const before = this.state[i - 1];
      this.state[i] = Math.imul(1812433253, before ^ (before >>> 30)) + i;
    }
  }

  next32() {
    if (this.next === Size) this.refill();
    let y = this.state[this.next++];
    y ^= y >>> 11;
    y ^= (y << 7) & 0x9d2c5680;
    y ^= (y << 15) & 0xefc60000;
    return (y ^ (y >>> 18)) >>> 0;
  }

  refill() {
    const { state } = this;
    for (let i = 0; i < Size; i++) {
      const y = (state[i] & 0x80000000) | (state[(i + 1) % Size] & 0x7fffffff);
      state[i] = state[(i + Shift) % Size] ^ (y >>> 1) ^ ((y & 1) === 0 ? 0 : 0x9908b0df);
    }

    this.next = 0;
  }

  // In [0, 1), as many bits as the mantissa holds.
  uniform32() {
    return (this.next32() & 0xffffff) / 2 ** 24;
  }

  uniform64() {
    const high = this.next32() & 0x1fffff;
    return (high * 2 ** 32 + this.next32()) / 2 ** 53;
  }
}

// Box and Muller's transform of 16 values at once, in float32.
function transform(block) {
  for (let i = 0; i < Half; i++) {
    const radius = fround(Math.sqrt(fround(-2 * fround(Math.log(1 - block[i])))));
    const theta = fround(2 * Math.PI * block[i + Half]);
    block[i] = radius * fround(Math.cos(theta));
    block[i + Half] = radius * fround(Math.sin(theta));
  }
}

// Fewer than 16 are drawn in pairs, in float64.
function fillFew(generator, values) {
  for (let i = 0; i < values.length; i += 2) {
    const theta = 2 * Math.PI * generator.uniform64(), radius = Math.sqrt(-2 * Math.log(1 - generator.uniform64()));
    values[i] = radius * Math.cos(theta);
    if (i + 1 < values.length) values[i + 1] = radius * Math.sin(theta);
  }
}

function fill(seed, values) {
  const generator = new MersenneTwister(seed);
  const draw = block => { for (let i = 0; i < block.length; i++) block[i] = generator.uniform32(); };
  if (values.length < Block) {
    fillFew(generator, values);
    return;
  }

  draw(values);
  for (let start = 0; start + Block <= values.length; start += Block) transform(values.subarray(start, start + Block));
  if (values.length % Block === 0) return;

  // The last block is drawn anew, and overlaps the one before it.
  const last = values.subarray(values.length - Block);
  draw(last);
  transform(last);
}

// Latents of seeds, each a whole number from 0 to 2^32 - 1, one after the other.
export function drawLatents(seeds, dimension) {
  const latents = new Float32Array(seeds.length * dimension);
  seeds.forEach((seed, i) => fill(seed, latents.subarray(i * dimension, (i + 1) * dimension)));
  return latents;
}
