// Calls of the studio's server. A refusal is an error whose message can be shown.
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

// A newer request took the place of this one.
export class Superseded extends Error {}

async function call(path, init) {
  let response;
  try {
    response = await fetch(`api/${path}`, init);
  } catch (e) {
    if (e.name === 'AbortError') throw new Superseded();
    throw new Refused('The studio does not answer: was it ended? Start it again and open the address that it prints.', 0);
  }
  if (response.status === 204) throw new Superseded();
  const answer = await response.json().catch(() => ({ error: `The studio answered ${response.status}.` }));
  if (init.signal?.aborted) throw new Superseded();
  if (!response.ok) throw new Refused(answer.error, response.status);
  return answer;
}

export const get = path => call(path, {});
export const post = (path, body, signal = null) => call(path,
  { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal });

// The newest of a row of requests. One that is under way has half as long again as the last one took to come to its end, within bounds, so
// that who drags sees something; then it is given up for the newest.
export class Newest {
  #send; #running = null; #next = null; #timer = null; #took = 100;

  constructor(send) {
    this.#send = send;
  }

  get isIdle() { return this.#running === null; }

  ask() {
    if (this.#running === null) return void this.#begin();
    this.#next = true;
    const patience = Math.min(1000, Math.max(150, 1.5 * this.#took));
    this.#timer ??= setTimeout(() => this.#running?.abort(), Math.max(0, patience - (performance.now() - this.#running.since)));
  }

  async #begin() {
    const abort = this.#running = new AbortController();
    abort.since = performance.now();
    this.#next = null;
    try {
      if (await this.#send(abort.signal)) this.#took = performance.now() - abort.since;
    } finally {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#running = null;
      if (this.#next) this.#begin();
    }
  }
}
