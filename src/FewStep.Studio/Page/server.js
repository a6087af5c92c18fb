// Calls of the studio's server. A refusal is an error whose message can be shown.
export class Refused extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

async function call(path, init) {
  let response;
  try {
    response = await fetch(`api/${path}`, init);
  } catch (e) {
    if (e.name === 'AbortError') throw e;
    throw new Refused('The studio does not answer: was it ended? Start it again and open the address that it prints.', 0);
  }
  const answer = await response.json().catch(() => ({ error: `The studio answered ${response.status}.` }));
  if (!response.ok) throw new Refused(answer.error, response.status);
  return answer;
}

export const get = path => call(path, {});
export const post = (path, body, signal = null) => call(path,
  { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), signal });

// The newest of a row of requests. One that is under way has a moment to come to its end, so that who drags sees something; then it is
// given up for the newest.
export class Newest {
  #patience; #send; #running = null; #next = null; #timer = null;

  constructor(send, patience = 150) {
    this.#send = send;
    this.#patience = patience;
  }

  get isIdle() { return this.#running === null; }

  ask() {
    if (this.#running === null) return void this.#begin();
    this.#next = true;
    this.#timer ??= setTimeout(() => this.#running?.abort(), Math.max(0, this.#patience - (performance.now() - this.#running.since)));
  }

  async #begin() {
    const abort = this.#running = new AbortController();
    abort.since = performance.now();
    this.#next = null;
    try {
      await this.#send(abort.signal);
    } finally {
      clearTimeout(this.#timer);
      this.#timer = null;
      this.#running = null;
      if (this.#next) this.#begin();
    }
  }
}
