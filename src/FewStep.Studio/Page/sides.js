// The form of a sampler: where its sigmas come from, solver, number of steps.
import { field, make, options } from './elements.js';

export const names = { A: 'Sampler A', B: 'Sampler B' };

// What a side begins with.
export const begun = hasOwn => hasOwn ? { source: 'own', file: '', solver: '', steps: 4, model: '', sigmas: null }
  : { source: 'karras', file: '', solver: 'ipndm:3', steps: 4, model: '', sigmas: null };

// What the server is asked for.
export function request(state, side) {
  const own = state[side];
  const named = own.source !== 'own' && own.source !== 'file';
  return {
    model: (side === 'B' && own.model) || state.model || null,
    guidance: state.guidance,
    sampler: own.source === 'own' ? null : own.source === 'file' ? own.file : `${own.source}/${own.solver || 'euler'}/${own.steps}`,
    solver: named ? null : own.solver || null,
    sigmas: own.sigmas,
  };
}

// changed(change) is called with what is set anew.
export class SideForm {
  #host; #side; #changed; #parts = {};

  constructor(host, side, studio, changed) {
    this.#host = host;
    this.#side = side;
    this.#changed = changed;
    const on = (name, read) => e => changed({ [name]: read(e.target) });
    const parts = this.#parts = {
      source: make('select', { onchange: e => changed({ source: e.target.value, sigmas: null,
        ...(e.target.value === 'own' || e.target.value === 'file' ? { solver: '' } : {}) }) }),
      file: make('input', { autocomplete: 'off', spellcheck: 'false', placeholder: 'path of a *.sampler.json',
        onchange: e => changed({ file: e.target.value.trim(), sigmas: null }) }),
      solver: make('select', { onchange: on('solver', t => t.value) }),
      steps: make('input', { type: 'number', min: 1, max: 100, onchange: e => changed({
        steps: Math.min(100, Math.max(1, Math.round(Number(e.target.value)) || 4)), sigmas: null }) }),
      model: make('input', { autocomplete: 'off', spellcheck: 'false', list: 'models', placeholder: 'the same',
        onchange: e => changed({ model: e.target.value.trim(), sigmas: null }) }),
      about: make('p', { class: 'about' }),
      reset: make('button', { type: 'button', onclick: () => changed({ sigmas: null }) }, 'Put the sigmas back'),
    };
    parts.fileField = field('File', parts.file);
    parts.stepsField = field('Steps', parts.steps);
    this.studio = studio;
    host.append(make('legend', {}, names[side]),
      side === 'B' ? field('Model', parts.model) : '',
      field('Sigmas from', parts.source), parts.fileField,
      make('div', { class: 'fields' }, field('Solver', parts.solver), parts.stepsField),
      parts.about, parts.resetRow = make('div', { class: 'row-actions' }, parts.reset));
  }

  show(own, ownSampler, answer) {
    const parts = this.#parts, named = own.source !== 'own' && own.source !== 'file';
    const hasOwn = Boolean(ownSampler || own.model || own.source === 'own');
    if (this.listed !== `${ownSampler} ${hasOwn} ${named}`) {
      this.listed = `${ownSampler} ${hasOwn} ${named}`;
      parts.source.replaceChildren(...options([
        ...(hasOwn ? [['own', `the model's own${ownSampler ? `: ${ownSampler}` : ''}`]] : []),
        ['file', 'a file'], ...this.studio.schedules.map(s => [s.name, s.name, s.about])], own.source));
      parts.solver.replaceChildren(...options([...(named ? [] : [['', 'the sampler\'s']]),
        ...this.studio.solvers.map(s => [s.name, s.name, s.about])], ''));
    }
    parts.source.value = own.source;
    parts.solver.value = own.solver || (named ? 'euler' : '');
    parts.file.value = own.file;
    parts.fileField.hidden = own.source !== 'file';
    parts.steps.value = named ? own.steps : answer?.steps ?? '';
    parts.steps.disabled = !named;
    parts.model.value = own.model;
    parts.resetRow.hidden = own.sigmas === null;
    const lost = own.sigmas !== null && this.wasFitted ? ` Its fitted weights belong to the sigmas they were fitted on: ${
      answer?.solver ?? 'its base'} steps here. Put the sigmas back, or fit again on these.` : '';
    parts.about.textContent = answer ? `${answer.about}${lost}` : '';
  }
}
