// Work that takes minutes: what to start, how far it is, what it left.
import { find, field, make, options } from './elements.js';
import { duration } from './numbers.js';
import { post } from './server.js';

export class JobPanel {
  #fields; #kinds; #current = null; #hooks;

  // hooks: request() gives the model with sampler A; failed(message); show(side, sampler, model); done(job)
  constructor(studio, hooks) {
    this.#hooks = hooks;
    const f = this.#fields = {
      kind: make('select', { onchange: () => this.#arrange() }, ...options([
        ['fit', 'Fit a sampler: sigmas and the solver\'s weights'], ['search', 'Search sigmas alone'],
        ['tune', 'Tune the model\'s weights to sampler A'], ['curve', 'Measure the loss curve']], 'fit')),
      steps: make('input', { value: '4', autocomplete: 'off', spellcheck: 'false' }),
      search: make('select', {}, ...options(studio.searches.map(s => [s.name, s.name, s.about]), studio.searches[0].name)),
      latents: make('input', { type: 'number', min: 8, max: 10000, value: 256 }),
      updates: make('input', { type: 'number', min: 1, max: 1000000, value: 250 }),
      keeps: make('input', { type: 'checkbox', onchange: () => this.#arrange() }),
      data: make('input', { autocomplete: 'off', spellcheck: 'false', placeholder: 'the studio\'s own' }),
    };
    this.#kinds = {
      steps: field('Steps, e.g. 3,4,6', f.steps), search: field('Sigmas by', f.search),
      latents: field('Latents', f.latents), updates: field('Updates', f.updates),
      keeps: make('label', { class: 'check' }, f.keeps, 'keep the sigmas of A'), data: field('Images', f.data),
    };
    find('job-form').append(make('div', { class: 'job-fields' }, field('What', f.kind, 'wide-field'), ...Object.values(this.#kinds)),
      make('div', { class: 'row-actions' }, make('button', { class: 'main', id: 'start' }, 'Start'),
        make('span', { class: 'small' }, `Results go into ${studio.out}.`)));
    find('job-form').addEventListener('submit', e => {
      e.preventDefault();
      this.start(f.kind.value);
    });
    this.#arrange();
    const events = new EventSource('api/events');
    events.onmessage = e => this.#show(JSON.parse(e.data));
  }

  async start(kind) {
    const f = this.#fields, uses = this.#uses(kind), keeps = uses.includes('keeps') && f.keeps.checked;
    try {
      await post('jobs', {
        kind, sampler: this.#hooks.request(), keeps_sigmas: keeps,
        data: uses.includes('data') && f.data.value.trim() ? f.data.value.trim() : null,
        steps: uses.includes('steps') && !keeps ? f.steps.value.split(',').map(n => Number(n.trim()) | 0) : [],
        search: uses.includes('search') && !keeps ? f.search.value : null,
        latents: uses.includes('latents') ? Number(f.latents.value) : null,
        updates: uses.includes('updates') ? Number(f.updates.value) : null,
      });
    } catch (e) {
      this.#hooks.failed(e.message);
    }
  }

  #uses(kind) {
    return { fit: ['keeps', 'steps', 'search', 'latents', 'data'], search: ['steps', 'search', 'data'], tune: ['updates'],
      curve: ['data'] }[kind];
  }

  #arrange() {
    const uses = this.#uses(this.#fields.kind.value), keeps = uses.includes('keeps') && this.#fields.keeps.checked;
    for (const [name, label] of Object.entries(this.#kinds)) {
      label.hidden = !uses.includes(name) || (keeps && ['steps', 'search', 'data'].includes(name));
    }
  }

  #show(job) {
    const host = find('job'), isNew = this.#current?.id !== job.id, was = isNew ? null : this.#current.state;
    this.#current = job;
    host.hidden = false;
    if (isNew) {
      host.replaceChildren(make('p', { class: 'job-title' }), make('progress', { max: 1, 'aria-label': 'Progress of the job' }),
        make('p', { class: 'small job-state', role: 'status', 'aria-live': 'polite' }),
        make('div', { class: 'row-actions' }, make('button', { type: 'button', id: 'cancel',
          onclick: () => post('cancel', { id: job.id }).catch(e => this.#hooks.failed(e.message)) }, 'Cancel')),
        make('ul', { class: 'results' }));
    }
    host.querySelector('.job-title').textContent = job.title;
    const bar = host.querySelector('progress'), { progress } = job;
    bar.hidden = job.state !== 'running';
    if (progress?.total > 0) bar.value = progress.done / progress.total;
    else bar.removeAttribute('value');
    const ends = { done: `Done in ${duration(job.seconds ?? 0)}.`, cancelled: 'Cancelled.', failed: job.error };
    host.querySelector('.job-state').textContent = job.state !== 'running' ? ends[job.state] : progress ? told(progress) : 'Starting.';
    host.querySelector('#cancel').hidden = job.state !== 'running';
    find('start').disabled = job.state === 'running';
    if (was === job.state || job.state === 'running') return;
    host.querySelector('.results').replaceChildren(...job.results.map(r => make('li', {}, make('span', { class: 'what' }, r.about),
      ...(r.sampler || r.model ? shows(r.sampler, r.model, this.#hooks.show) : []))));
    this.#hooks.done(job, was === 'running');
  }
}

function told({ stage, done, total, unit, detail }) {
  const all = total > 0 ? ` of ${total.toLocaleString('en')}` : '';
  return `${stage}: ${done.toLocaleString('en')}${all} ${unit}${detail ? `, ${detail}` : ''}`;
}

// Buttons that put a sampler on a side.
export const shows = (sampler, model, show) => ['A', 'B'].map(side => make('button',
  { type: 'button', onclick: () => show(side, sampler, model) }, `Show as ${side}`));
