// The folder of runs: open an experiment, compare several, show a sampler.
import { find, make } from './elements.js';
import { get } from './server.js';
import { shows } from './jobs.js';

export class RunPanel {
  #hooks; #folder;

  // hooks: show(side, sampler, model), failed(message), models(paths)
  constructor(folder, hooks) {
    this.#hooks = hooks;
    this.#folder = folder;
    find('reload').addEventListener('click', () => this.load());
    this.load();
  }

  async load() {
    let runs;
    try {
      runs = await get('runs');
    } catch (e) {
      return this.#hooks.failed(e.message);
    }
    this.#hooks.models(runs.filter(r => r.model).map(r => r.model));
    const experiments = runs.filter(r => r.is_experiment);
    const compare = make('a', { class: 'button', target: '_blank', rel: 'noopener', hidden: true }, 'Compare the chosen');
    const choose = () => {
      const chosen = [...find('runs').querySelectorAll('input:checked')].map(i => i.value);
      compare.hidden = chosen.length < 2;
      compare.href = report(chosen);
    };
    find('runs').replaceChildren(
      runs.length === 0 ? make('p', { class: 'small' }, `There are no runs in the folder ${this.#folder} yet.`)
        : make('ul', { class: 'results' }, ...runs.map(r => this.#row(r, experiments.length > 1, choose))),
      make('div', { class: 'row-actions' }, compare));
  }

  #row(run, comparable, choose) {
    const samplers = run.samplers.map(s => make('li', {}, make('span', { class: 'what' }, s.split(/[\\/]/).at(-1)),
      ...shows(s, null, this.#hooks.show)));
    return make('li', {},
      run.is_experiment && comparable ? make('input', { type: 'checkbox', value: run.name, 'aria-label': `Compare ${run.name}`,
        onchange: choose }) : null,
      make('span', { class: 'what' }, `${run.name} `, make('span', { class: 'small' }, new Date(run.changed).toLocaleString('en-GB'))),
      run.is_experiment ? make('a', { class: 'button', href: report([run.name]), target: '_blank', rel: 'noopener',
        'aria-label': `Report of ${run.name}` }, 'Report') : null,
      ...(run.model ? shows(null, run.model, this.#hooks.show) : []),
      samplers.length > 0 ? make('ul', {}, ...samplers) : null);
  }
}

const report = names => `api/report?${names.map(n => `run=${encodeURIComponent(n)}`).join('&')}`;
