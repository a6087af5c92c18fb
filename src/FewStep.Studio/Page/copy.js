// A sampler as text for elsewhere.
import { find, field, make, options } from './elements.js';
import { post } from './server.js';

export class CopyPanel {
  #hooks; #side; #name; #what; #code; #remarks; #said; #texts = []; #waiting = null;

  // hooks: request(side), failed(message), isCompared()
  constructor(hooks) {
    this.#hooks = hooks;
    this.#side = make('select', { onchange: () => this.refresh() }, ...options([['A', 'sampler A'], ['B', 'sampler B']], 'A'));
    this.#name = make('input', { value: 'mine', autocomplete: 'off', spellcheck: 'false', onchange: () => this.refresh() });
    this.#what = make('select', { id: 'copy-what', onchange: () => this.#show() });
    this.#code = make('code');
    this.#remarks = make('ul', { class: 'remarks' });
    this.#said = make('span', { class: 'small', role: 'status' });
    this.sideField = field('Which', this.#side);
    find('copy').append(
      make('div', { class: 'job-fields' }, this.sideField, field('Name of the file', this.#name), field('As', this.#what, 'wide-field')),
      make('div', { class: 'code' }, make('div', { class: 'code-head' }, make('span', {}, 'Text'),
        make('button', { type: 'button', class: 'copy', onclick: () => this.#copy() }, 'Copy')),
      make('pre', { tabindex: 0, role: 'region', 'aria-label': 'Text to copy' }, this.#code)), this.#remarks,
      make('div', { class: 'row-actions' },
        make('button', { type: 'button', id: 'save', onclick: () => this.#save() }, 'Save the sampler file'),
        make('button', { type: 'button', onclick: () => this.#download() }, 'Download it'), this.#said));
  }

  // Soon, and once for many changes.
  refresh() {
    clearTimeout(this.#waiting);
    this.#waiting = setTimeout(() => this.#load(), 300);
  }

  #body() {
    return { sampler: this.#hooks.request(this.#hooks.isCompared() ? this.#side.value : 'A'), name: this.#name.value.trim() || null };
  }

  async #load() {
    this.sideField.hidden = !this.#hooks.isCompared();
    try {
      this.#texts = await post('copy', this.#body());
    } catch (e) {
      this.#texts = [];
      this.#code.textContent = '';
      this.#remarks.replaceChildren(make('li', {}, e.message));
      return;
    }
    const chosen = this.#what.value || this.#texts[0].title;
    this.#what.replaceChildren(...options(this.#texts.map(t => [t.title, t.title]), chosen));
    this.#show();
  }

  #show() {
    const text = this.#texts.find(t => t.title === this.#what.value) ?? this.#texts[0];
    this.#code.textContent = text?.text ?? 'Not possible for this sampler.';
    this.#remarks.replaceChildren(...(text?.remarks ?? []).map(r => make('li', {}, r)));
    this.#said.textContent = '';
  }

  async #copy() {
    try {
      await navigator.clipboard.writeText(this.#code.textContent);
      this.#said.textContent = 'Copied.';
    } catch {
      getSelection().selectAllChildren(this.#code);
      this.#said.textContent = 'Selected: copy it with Ctrl+C.';
    }
  }

  async #save() {
    try {
      this.#said.textContent = `Saved as ${(await post('save', this.#body())).file}.`;
    } catch (e) {
      this.#hooks.failed(e.message);
    }
  }

  #download() {
    const url = URL.createObjectURL(new Blob([this.#texts[0]?.text ?? ''], { type: 'application/json' }));
    make('a', { href: url, download: `${this.#name.value.trim() || 'mine'}.sampler.json` }).click();
    setTimeout(() => URL.revokeObjectURL(url), 1000);
  }
}
