// The loss curve with the sigmas of one or two samplers on it, which can be dragged. It knows nothing of where they come from.
import { draw } from './elements.js';
import { covering, logAxis } from './axis.js';
import { sigmaText, significant } from './numbers.js';

const Left = 56, Right = 16, Top = 26, Bottom = 44, Nearest = 1.004;
const Shapes = { A: 'M0 -9L9 0L0 9L-9 0Z', B: 'M-7 0A7 7 0 1 0 7 0A7 7 0 1 0 -7 0Z' };

export class SigmaChart {
  #host; #moved; #released; #data = null; #svg = null; #handles = new Map(); #x; #y; #height;

  // moved(side, sigmas) while a sigma moves, released(side) when it is where it shall be.
  constructor(host, moved, released) {
    this.#host = host;
    this.#moved = moved;
    this.#released = released;
    new ResizeObserver(() => this.#layOut()).observe(host);
  }

  // data: { curve: { points, images, confidence } or null, low, high, sides: { A: { name, sigmas, css }, ... } }
  show(data) {
    const before = this.#data;
    this.#data = data;
    const counts = d => JSON.stringify(Object.entries(d.sides).map(([side, s]) => [side, s.sigmas.length]));
    if (before && before.curve === data.curve && before.low === data.low && before.high === data.high
      && counts(before) === counts(data)) this.#place();
    else this.#layOut();
  }

  #layOut() {
    const width = this.#host.clientWidth;
    if (!this.#data || width === 0) return;
    const focused = [...this.#handles].find(([, h]) => h.group === document.activeElement)?.[0];
    const { curve, low, high, sides } = this.#data;
    const height = this.#height = Math.round(Math.min(340, Math.max(230, width * 0.42)));
    const sigmas = Object.values(sides).flatMap(s => s.sigmas);
    this.#x = covering([low, high, ...sigmas, ...(curve?.points.map(p => p.sigma) ?? [])], Left, width - Right);
    const losses = curve ? curve.points.flatMap(p => [p.loss, p.fitted]).filter(v => v > 0) : [];
    this.#y = losses.length > 0 ? covering(losses, height - Bottom, Top, 0.06) : null;
    this.#svg = draw('svg', { viewBox: `0 0 ${width} ${height}`, height, role: 'group',
      'aria-label': 'Noise levels of the samplers on a logarithmic axis', class: 'sigmas' });
    this.#svg.append(...this.#frame(width, height), ...this.#curve());
    this.#handles.clear();
    for (const side of Object.keys(sides).reverse()) {
      sides[side].sigmas.forEach((_, i) => this.#svg.append(this.#handle(side, i)));
    }
    this.#host.replaceChildren(this.#svg);
    this.#place();
    if (focused) this.#handles.get(focused)?.group.focus();
  }

  #frame(width, height) {
    const bottom = height - Bottom, parts = [];
    for (const tick of this.#x.ticks(Math.floor(width / 62))) {
      const at = this.#x.position(tick);
      parts.push(draw('line', { x1: at, x2: at, y1: Top, y2: bottom, class: 'grid' }),
        draw('text', { x: at, y: bottom + 17, class: 'tick', 'text-anchor': 'middle' }, sigmaText(tick)));
    }
    if (this.#y) {
      for (const tick of this.#y.ticks(6)) {
        const at = this.#y.position(tick);
        parts.push(draw('line', { x1: Left, x2: width - Right, y1: at, y2: at, class: 'grid' }),
          draw('text', { x: Left - 6, y: at + 4, class: 'tick', 'text-anchor': 'end' }, sigmaText(tick)));
      }
      parts.push(draw('text', { x: 2, y: 14, class: 'axis' }, 'loss L(σ), log scale'));
    }
    parts.push(draw('line', { x1: Left, x2: width - Right, y1: bottom, y2: bottom, class: 'base' }),
      draw('text', { x: (Left + width - Right) / 2, y: bottom + 36, class: 'axis', 'text-anchor': 'middle' },
        'noise level σ (log scale)'));
    return parts;
  }

  #curve() {
    const { curve } = this.#data;
    if (!this.#y) {
      return Object.keys(this.#data.sides).map(side => draw('line',
        { x1: this.#x.start, x2: this.#x.end, y1: this.#railOf(side), y2: this.#railOf(side), class: 'rail' }));
    }
    const clamp = v => Math.max(this.#y.low, Math.min(this.#y.high, v));
    const points = curve.points.filter(p => p.fitted > 0);
    const at = (p, v) => `${this.#x.position(p.sigma).toFixed(1)} ${this.#y.position(clamp(v)).toFixed(1)}`;
    const band = [...points.map(p => at(p, p.high)), ...points.toReversed().map(p => at(p, p.low))].join('L');
    return [draw('path', { d: `M${band}Z`, class: 'band' }),
      ...points.map(p => draw('circle', { cx: this.#x.position(p.sigma), cy: this.#y.position(clamp(p.loss)), r: 1.8, class: 'measured' })),
      draw('path', { d: `M${points.map(p => at(p, p.fitted)).join('L')}`, class: 'fit' })];
  }

  #railOf(side) {
    return Top + (this.#height - Top - Bottom) * (side === 'A' ? 0.4 : 0.75);
  }

  #handle(side, index) {
    const { name, css } = this.#data.sides[side];
    const drop = draw('line', { class: `drop ${css}` });
    const text = draw('text', { class: 'value', y: side === 'A' ? -14 : 24, 'text-anchor': 'middle' });
    const body = draw('g', {}, draw('circle', { r: 20, class: 'reach' }), draw('circle', { r: 13, class: 'ring' }),
      draw('path', { d: Shapes[side], class: 'point' }), text);
    const group = draw('g', { class: `handle ${css}`, role: 'slider', tabindex: 0, 'aria-orientation': 'horizontal',
      'aria-label': `${name}, sigma ${index + 1} of ${this.#data.sides[side].sigmas.length}`,
      'data-side': side, 'data-index': index }, drop, body);
    group.addEventListener('keydown', e => this.#key(e, side, index));
    group.addEventListener('pointerdown', e => this.#hold(e, side, index, group));
    this.#handles.set(`${side}${index}`, { group, body, drop, text });
    return group;
  }

  #place() {
    const bottom = this.#height - Bottom, beside = [];
    for (const [side, { sigmas }] of Object.entries(this.#data.sides)) {
      let lastLabel = Infinity;
      sigmas.forEach((sigma, i) => {
        const { group, body, drop, text } = this.#handles.get(`${side}${i}`);
        const x = this.#x.position(sigma), y = this.#y ? this.#y.position(this.#lossAt(sigma)) : this.#railOf(side);
        const [low, high] = this.#bounds(side, i);
        body.setAttribute('transform', `translate(${x.toFixed(2)} ${y.toFixed(2)})`);
        for (const [attribute, value] of Object.entries({ x1: x, x2: x, y1: y, y2: bottom })) drop.setAttribute(attribute, value);
        const isFree = (lastLabel - x > 40 && !beside.some(at => Math.abs(at - x) < 1))
          || group.classList.contains('held') || group === document.activeElement;
        text.textContent = isFree ? sigmaText(sigma) : '';
        text.setAttribute('text-anchor', x - Left < 22 ? 'start' : 'middle');
        if (isFree) lastLabel = x;
        if (isFree && side === 'A') beside.push(x);
        const loss = this.#y ? `, loss ${significant(this.#lossAt(sigma))}` : '';
        const values = { 'aria-valuemin': low, 'aria-valuemax': high, 'aria-valuenow': sigma,
          'aria-valuetext': `sigma ${sigmaText(sigma, 4)}${loss}` };
        for (const [attribute, value] of Object.entries(values)) group.setAttribute(attribute, value);
      });
    }
  }

  // The fitted curve between its points, straight in log-log; constant beyond its ends.
  #lossAt(sigma) {
    const points = this.#data.curve.points.filter(p => p.fitted > 0);
    const right = points.findIndex(p => p.sigma >= sigma);
    if (right <= 0) return right === 0 ? points[0].fitted : points.at(-1).fitted;
    const a = points[right - 1], b = points[right], t = Math.log(sigma / a.sigma) / Math.log(b.sigma / a.sigma);
    return a.fitted * Math.pow(b.fitted / a.fitted, t);
  }

  // Between its neighbours, and within the model's noise levels.
  #bounds(side, index) {
    const { sigmas } = this.#data.sides[side];
    return [index + 1 < sigmas.length ? sigmas[index + 1] * Nearest : this.#data.low,
      index > 0 ? sigmas[index - 1] / Nearest : this.#data.high];
  }

  #set(side, index, sigma) {
    const [low, high] = this.#bounds(side, index), { sigmas } = this.#data.sides[side];
    const next = [...sigmas];
    next[index] = Math.min(high, Math.max(low, sigma));
    if (next[index] === sigmas[index]) return;
    this.#data.sides[side] = { ...this.#data.sides[side], sigmas: next };
    this.#place();
    this.#moved(side, next);
  }

  #key(event, side, index) {
    const sigma = this.#data.sides[side].sigmas[index], [low, high] = this.#bounds(side, index);
    const factor = event.shiftKey ? 1.15 : 1.02;
    const to = { ArrowRight: sigma * factor, ArrowUp: sigma * factor, ArrowLeft: sigma / factor, ArrowDown: sigma / factor,
      PageUp: sigma * 1.5, PageDown: sigma / 1.5, Home: low, End: high }[event.key];
    if (to === undefined || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    this.#set(side, index, to);
    this.#released(side);
  }

  #hold(event, side, index, group) {
    if (event.button !== 0) return;
    event.preventDefault();
    group.focus();
    group.setPointerCapture(event.pointerId);
    group.classList.add('held');
    const box = this.#svg.getBoundingClientRect();
    const offset = this.#x.position(this.#data.sides[side].sigmas[index]) - (event.clientX - box.left);
    const move = e => this.#set(side, index, this.#x.value(e.clientX - box.left + offset));
    const end = () => {
      group.removeEventListener('pointermove', move);
      group.classList.remove('held');
      this.#place();
      this.#released(side);
    };
    group.addEventListener('pointermove', move);
    group.addEventListener('lostpointercapture', end, { once: true });
  }
}
