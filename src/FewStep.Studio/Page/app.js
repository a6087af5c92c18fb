// The studio: two samplers of a model, side by side on the same seeds.
import { SigmaChart } from './chart.js';
import { CopyPanel } from './copy.js';
import { drawing, find, make, options } from './elements.js';
import { History } from './history.js';
import { drawDifference, drawDivided, drawImage, picture, tile } from './images.js';
import { JobPanel } from './jobs.js';
import { duration, sigmaText, withSpread } from './numbers.js';
import { RunPanel } from './runs.js';
import { get, Newest, post, Superseded } from './server.js';
import { begun, names, request, SideForm } from './sides.js';

const Sides = ['A', 'B'], Css = { A: 'm1', B: 'm2' }, Brighter = 3;
const Views = [['divide', 'Slider'], ['pair', 'Side by side'], ['difference', 'Difference'], ['A', 'A'], ['B', 'B']];

const studio = await get('studio');
const history = new History();
let state = { model: '', guidance: null, label: null, seeds: '0-7', compare: false, A: null, B: null };
let model = null, view = 'divide', figures = null, teacher = null, teacherKey = null, fitted = { A: false, B: false };
const shown = { A: null, B: null };

const chart = new SigmaChart(find('chart'), (side, sigmas) => {
  state = { ...state, [side]: { ...state[side], sigmas } };
  sampling[side].ask();
}, () => keep());
const forms = Object.fromEntries(Sides.map(side => [side, new SideForm(find(`side-${side}`), side, studio,
  what => change({ [side]: { ...state[side], ...what } }, [side]))]));
const sampling = Object.fromEntries(Sides.map(side => [side, new Newest(signal => sample(side, signal))]));
const teaching = new Newest(() => teach());
const copying = new CopyPanel({ request: side => request(state, side), failed: fail, isCompared: () => state.compare });
const jobs = new JobPanel(studio, {
  request: () => request(state, 'A'), failed: fail, show: put,
  done: (job, isNow) => {
    if (job.state === 'done' && isNow) {
      if (!model?.curve) openModel();
      runs.load();
    }
  },
});
const runs = new RunPanel(studio.runs, {
  show: put, failed: fail,
  models: paths => find('models').replaceChildren(...paths.map(p => make('option', { value: p }))),
});

find('model').addEventListener('change', e => change({ model: e.target.value.trim(), label: null, A: null, B: null }, [], true));
find('guidance').addEventListener('change', e => change({ guidance: e.target.value === '' ? null : Number(e.target.value) }, Sides, true));
find('label').addEventListener('change', e => change({ label: e.target.value === '' ? null : Number(e.target.value) }, Sides));
find('seeds').addEventListener('change', e => change({ seeds: e.target.value.trim() || '0-7' }, Sides));
find('compare').addEventListener('change', e => {
  change({ compare: e.target.checked }, ['B']);
  if (!e.target.checked) post('hide', { side: 'b' }).catch(failure => fail(failure.message));
});
find('share').addEventListener('input', () => paint());
find('measure').addEventListener('click', () => jobs.start('curve'));
find('undo').addEventListener('click', () => back(history.undo()));
find('redo').addEventListener('click', () => back(history.redo()));
find('model-form').addEventListener('submit', e => e.preventDefault());
document.addEventListener('keydown', e => {
  const isText = e.target.matches?.('input:not([type="range"]):not([type="checkbox"]):not([type="radio"])');
  if (isText || !(e.ctrlKey || e.metaKey)) return;
  const key = e.key.toLowerCase();
  if (key !== 'z' && key !== 'y') return;
  e.preventDefault();
  back(key === 'y' || e.shiftKey ? history.redo() : history.undo());
});
find('views').append(...Views.map(([value, text]) => make('label', {}, make('input', { type: 'radio', name: 'view', value,
  checked: value === view, onchange: () => {
    view = value;
    lay();
  } }), text)));

await openModel();

// What was set anew, and whose images follow from it.
function change(what, sides, opens = false) {
  const before = state;
  state = { ...state, ...what };
  if (opens) return openModel(before);
  keep();
  show();
  for (const side of sides.filter(isOn)) sampling[side].ask();
}

function isOn(side) {
  return side === 'A' || state.compare;
}

function keep() {
  history.keep(state);
  find('undo').disabled = !history.canUndo;
  find('redo').disabled = !history.canRedo;
  copying.refresh();
}

function back(before) {
  if (before === null) return;
  const opens = before.model !== state.model || before.guidance !== state.guidance;
  state = before;
  keep();
  if (opens) return openModel();
  show();
  Sides.filter(isOn).forEach(side => sampling[side].ask());
}

// A sampler, a model, or a model with its own sampler on a side.
function put(side, sampler, path) {
  const set = { ...(state[side] ?? begun(false)), sigmas: null };
  if (sampler) Object.assign(set, { source: 'file', file: sampler, solver: '' });
  else Object.assign(set, begun(true));
  if (side === 'B') {
    if (path !== null && path !== undefined) set.model = path;
    change({ B: set, compare: true }, ['B']);
  } else if (path) {
    change({ model: path, label: null, A: set }, [], true);
  } else {
    change({ A: set }, ['A']);
  }
  find('images-heading').scrollIntoView({ block: 'nearest' });
}

function fail(message) {
  find('error').hidden = !message;
  find('error').textContent = message ?? '';
  if (message) find('error').scrollIntoView({ block: 'nearest' });
}

// A model that cannot be opened leaves everything as it was before.
async function openModel(before = state) {
  say('Opening the model.');
  try {
    model = await post('model', { model: state.model || null, guidance: state.guidance });
  } catch (e) {
    fail(e.message);
    if (model) {
      state = before;
      show();
      tell();
    }
    return;
  }
  fail(null);
  state = { ...state, A: state.A ?? begun(model.own_sampler !== undefined), B: state.B ?? { ...begun(false), solver: 'euler' } };
  teacherKey = null;
  find('about').textContent = [model.name, model.format, `${model.height}×${model.width}${model.channels === 3 ? ', colour' : ''}`,
    model.parameters > 0 ? `${(model.parameters / 1e6).toFixed(1)} million parameters` : null, model.number_format]
    .filter(Boolean).join(' · ');
  find('label').replaceChildren(...options([['', model.classes > 0 ? 'all in turn' : 'none'],
    ...Array.from({ length: model.classes }, (_, i) => [`${i}`, model.class_names[i] ?? `${i}`])], `${state.label ?? ''}`));
  find('label').disabled = model.classes === 0;
  find('guidance').disabled = !model.takes_guidance;
  find('guidance').title = model.takes_guidance ? '' : 'This model knows no "no class" to be guided by.';
  find('remarks').replaceChildren(...model.remarks.map(r => make('li', {}, r)));
  find('measure').hidden = Boolean(model.curve);
  keep();
  show();
  Sides.filter(isOn).forEach(side => sampling[side].ask());
}

function show() {
  find('model').value = state.model;
  find('guidance').value = state.guidance ?? '';
  find('label').value = state.label ?? '';
  find('seeds').value = state.seeds;
  find('compare').checked = state.compare;
  find('side-B').hidden = !state.compare;
  find('views').hidden = !state.compare;
  for (const side of Sides.filter(s => state[s])) forms[side].show(state[side], ownOf(side), shown[side]?.answer.sampler);
  showChart();
  lay();
}

// Of another model on side B it is not known before that is sampled.
function ownOf(side) {
  return side === 'B' && state.B.model ? null : model.own_sampler;
}

function showChart() {
  const sides = {};
  for (const side of Sides.filter(isOn)) {
    const sigmas = state[side]?.sigmas ?? shown[side]?.answer.sampler.sigmas;
    if (sigmas) sides[side] = { name: names[side], sigmas, css: Css[side] };
  }
  if (!model || Object.keys(sides).length === 0) return;
  chart.show({ curve: model.curve ?? null, low: model.sigma_min, high: model.sigma_max, sides });
}

async function sample(side, signal) {
  const asked = state[side], body = { side: side.toLowerCase(), sampler: request(state, side), seeds: state.seeds, label: state.label };
  find('images').classList.add('stale');
  let answer;
  try {
    answer = await post('sample', body, signal);
    const read = png => picture(png, answer.width, answer.height, answer.columns);
    const [image, ...steps] = await Promise.all([answer.image, ...answer.steps].map(read));
    shown[side] = { answer, image, steps };
  } catch (e) {
    if (e instanceof Superseded) return false;
    find('images').classList.remove('stale');
    say('');
    fail(e.message);
    return true;
  }
  const other = shown[side === 'A' ? 'B' : 'A']?.answer;
  const isAlike = !state.compare || !other || (other.width === answer.width && other.height === answer.height);
  fail(isAlike ? null : 'The two models make images of different sizes: look at one at a time.');
  if (asked.sigmas === null) fitted[side] = Boolean(answer.sampler.base);
  forms[side].wasFitted = fitted[side];
  figures = answer.figures;
  if (Sides.filter(isOn).every(s => sampling[s].isIdle || s === side)) find('images').classList.remove('stale');
  if (state[side]) forms[side].show(state[side], ownOf(side), answer.sampler);
  if (state[side] === asked && asked.sigmas === null) showChart();
  lay();
  tell();
  showWeights();
  teaching.ask();
  return true;
}

// The fine teacher, once nothing else is to be sampled; it gives way to whatever is.
async function teach() {
  const key = JSON.stringify([state.model, state.guidance, state.label, state.seeds]);
  await new Promise(resolve => setTimeout(resolve, 400));
  if (!Sides.every(s => sampling[s].isIdle) || (key === teacherKey && figures?.a)) return;
  try {
    teacher = await post('teacher', { side: 'a', sampler: request(state, 'A'), seeds: state.seeds, label: state.label });
    teacherKey = key;
    figures = teacher.figures;
  } catch (e) {
    if (!(e instanceof Superseded)) teacher = { failed: e.message };
    teacherKey = null;
  }
  showFigures();
}

function seedsShown() {
  const sides = Sides.filter(s => isOn(s) && shown[s]);
  return sides.length === 0 ? [] : shown[sides[0]].answer.seeds;
}

function describe(seed) {
  const label = state.label ?? (model.classes > 0 ? seed % model.classes : null);
  const name = label === null || label < 0 ? '' : `, ${model.class_names[label] ?? `class ${label}`}`;
  return `seed ${seed}${name}`;
}

// The tiles anew where their number or kind changed; then what is on them.
function lay() {
  const seeds = seedsShown(), mode = state.compare ? view : 'A', host = find('images');
  const first = shown.A ?? shown.B;
  find('divide').hidden = mode !== 'divide';
  if (!first) return;
  const { width, height } = first.answer, key = JSON.stringify([seeds, mode, width, height, state.label, state.compare]);
  if (host.dataset.key !== key) {
    host.dataset.key = key;
    host.classList.toggle('pairs', mode === 'pair');
    host.replaceChildren(...seeds.map(seed => {
      const label = describe(seed);
      const one = text => tile(`${text}: ${label}`, width, height);
      const content = mode === 'pair' ? make('div', { class: 'pair' }, one(names.A), one(names.B))
        : one({ divide: 'A beside B', difference: 'Difference of A and B', A: names.A, B: names.B }[mode]);
      return make('figure', {}, content, make('figcaption', { title: label }, label.replace(/^seed /, '')));
    }));
  }
  paint();
  laySteps();
  showFigures();
}

function paint() {
  const mode = state.compare ? view : 'A', canvases = [...find('images').querySelectorAll('canvas')];
  const a = shown.A?.image, b = shown.B?.image, share = Number(find('share').value) / 100;
  find('share').setAttribute('aria-valuetext', `A on the left ${Math.round(share * 100)} percent`);
  canvases.forEach((canvas, at) => {
    const i = mode === 'pair' ? Math.floor(at / 2) : at;
    if (mode === 'pair') at % 2 === 0 ? a && drawImage(canvas, a, i) : b && drawImage(canvas, b, i);
    else if (mode === 'divide' && a && b) drawDivided(canvas, a, b, i, share);
    else if (mode === 'difference' && a && b) drawDifference(canvas, a, b, i, Brighter);
    else if (mode === 'B' ? b : a) drawImage(canvas, mode === 'B' ? b : a, i);
  });
}

function laySteps() {
  const most = 8, host = find('steps'), sides = Sides.filter(s => isOn(s) && shown[s]);
  const key = JSON.stringify(sides.map(s => [s, shown[s].steps.length, shown[s].answer.seeds.slice(0, most), shown[s].answer.width]));
  if (host.dataset.key !== key) {
    host.dataset.key = key;
    host.replaceChildren(...sides.flatMap(side => {
      const { answer, steps } = shown[side], seeds = answer.seeds.slice(0, most);
      const rows = steps.map((_, i) => make('div', { class: 'step', 'data-row': `${side}${i}` }, make('p'),
        make('div', {}, ...seeds.map(seed => make('figure', {}, tile(`${names[side]}, step ${i + 1}: ${describe(seed)}`,
          answer.width, answer.height))))));
      return sides.length > 1 ? [make('p', { class: 'step-side' }, names[side]), ...rows] : rows;
    }));
  }
  for (const side of sides) {
    const { answer, steps } = shown[side];
    steps.forEach((from, i) => {
      const row = host.querySelector(`[data-row="${side}${i}"]`), sigmas = answer.sampler.sigmas;
      row.querySelector('p').textContent = i + 1 < sigmas.length ? `${i + 1}: σ ${sigmaText(sigmas[i])} → ${sigmaText(sigmas[i + 1])}`
        : `end: σ ${sigmaText(sigmas[i])}`;
      row.querySelectorAll('canvas').forEach((canvas, k) => drawImage(canvas, from, k));
    });
  }
}

function showFigures() {
  const sides = Sides.filter(s => isOn(s) && shown[s]), tiles = [];
  const one = (title, value, detail) => make('div', { class: 'tile' }, make('span', {}, title),
    make('p', { class: 'figure' }, value, detail ? make('small', {}, detail) : null));
  for (const side of sides) {
    const { answer } = shown[side], name = sides.length > 1 ? `${side}: ` : '';
    tiles.push(one(`${name}evaluations`, `${Number(answer.evaluations.toFixed(2))}`,
      `an image; ${answer.seeds.length} images in ${duration(answer.seconds)}`));
  }
  for (const side of sides) {
    const figure = figures?.[side.toLowerCase()], name = sides.length > 1 ? `${side}: ` : '';
    const [mean, half] = figure ? withSpread(figure.mean, figure.half_width) : ['…', null];
    tiles.push(one(`${name}from the teacher`, mean, half ? `± ${half}` : figure ? 'one seed' : 'being measured'));
  }
  if (sides.length > 1 && figures?.difference) {
    const { mean, half_width: half } = figures.difference, [text, spread] = withSpread(mean, half);
    const verdict = !(half > 0) ? 'one seed tells nothing' : Math.abs(mean) <= half ? 'not told apart'
      : mean < 0 ? 'B ends nearer' : 'A ends nearer';
    tiles.push(one('B less A', `${mean > 0 ? '+' : ''}${text}`.replace('-', '−'),
      `${spread ? `± ${spread}: ` : ''}${verdict}`));
  }
  find('figures').replaceChildren(...tiles);
  const note = teacher?.failed ? `The teacher could not be sampled: ${teacher.failed}`
    : teacher ? 'From the teacher: root mean square difference of a pixel value (−1 to 1) from what the teacher '
      + `(${teacher.name}) makes of the same seeds; ± is the 95 % interval over the seeds, and B less A is compared seed by seed. `
      + 'Near is not the same as good: measure images with evaluate.' : '';
  const brighter = state.compare && view === 'difference' ? ` The difference is shown ${Brighter} times as bright as it is.` : '';
  find('figures-note').textContent = note + brighter;
}

function showWeights() {
  const own = Sides.filter(s => isOn(s) && shown[s]?.answer.sampler.weights);
  find('weights-card').hidden = own.length === 0;
  const key = JSON.stringify(own.map(s => shown[s].answer.sampler.solver));
  if (find('weights').dataset.key === key) return;
  find('weights').dataset.key = key;
  find('weights').replaceChildren(...own.flatMap(s => [make('p', { class: 'step-side' }, `${names[s]}: ${shown[s].answer.sampler.text}`),
    drawing(shown[s].answer.sampler.weights)]));
}

function tell() {
  const parts = Sides.filter(s => isOn(s) && shown[s]).map(s => `${state.compare ? `${s}: ` : ''}${shown[s].answer.sampler.text}, sigmas ${
    shown[s].answer.sampler.sigmas.map(v => sigmaText(v)).join(', ')}`);
  say(parts.join('. '));
}

function say(text) {
  find('status').textContent = text;
}
