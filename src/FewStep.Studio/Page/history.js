// What was set before, and what was undone.
export class History {
  #past = []; #future = []; #now = null;

  get canUndo() { return this.#past.length > 0; }
  get canRedo() { return this.#future.length > 0; }

  // Remembers a state, unless it is the one before.
  keep(state) {
    const text = JSON.stringify(state);
    if (text === this.#now) return;
    if (this.#now !== null) this.#past.push(this.#now);
    if (this.#past.length > 200) this.#past.shift();
    this.#now = text;
    this.#future = [];
  }

  undo() { return this.#step(this.#past, this.#future); }
  redo() { return this.#step(this.#future, this.#past); }

  #step(from, to) {
    if (from.length === 0) return null;
    to.push(this.#now);
    this.#now = from.pop();
    return JSON.parse(this.#now);
  }
}
