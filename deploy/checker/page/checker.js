// The checker as the page sees it: a worker that answers one question at a time, and is begun anew
// where it was stopped or died. It is given copies of what was fetched, so it needs no network.

export class Died extends Error {}
export class Stopped extends Error {}

export class Checker {
  #loaded;
  #worker = null;
  #waiting = null;
  #ready;

  constructor(loaded) {
    this.#loaded = loaded;
    this.#begin();
  }

  /** Settles when questions are answered at once. */
  get ready() {
    return this.#ready;
  }

  /** Check files; `onRows` hears how many rows are done. Return what the page shows. */
  async check(files, asked, onRows) {
    if (!this.#worker) this.#begin();
    await this.#ready;
    return this.#ask({ ask: "check", files, asked }, onRows);
  }

  /** Return the report of the last check as a file. */
  made(form) {
    return this.#ask({ ask: "made", form });
  }

  /** End what runs, and begin anew. */
  stop() {
    this.#again(new Stopped());
  }

  #begin() {
    // Only what the answers of this worker are for may be settled by it, not its successor's.
    const worker = new Worker(new URL("worker.js", import.meta.url), { type: "module" });
    this.#worker = worker;
    worker.onmessage = ({ data }) => worker === this.#worker && this.#heard(data);
    worker.onerror = worker.onmessageerror = (event) => {
      event.preventDefault();
      if (worker === this.#worker) this.#again(new Died());
    };
    this.#ready = this.#ask({ ask: "begin", gateway: location.origin, ...this.#loaded });
    this.#ready.catch(() => {});
  }

  #again(error) {
    const { ask, reject } = this.#waiting ?? {};
    this.#worker?.terminate();
    this.#worker = this.#waiting = null;
    // One that dies while it begins would do so for ever: the next one waits for a question.
    if (ask !== "begin" || error instanceof Stopped) this.#begin();
    reject?.(error);
  }

  #ask(question, onRows) {
    return new Promise((resolve, reject) => {
      this.#waiting = { ask: question.ask, resolve, reject, onRows };
      this.#worker.postMessage(question);
    });
  }

  #heard({ rows, died, answer }) {
    if (died) {
      this.#again(new Died());
    } else if (rows !== undefined) {
      this.#waiting?.onRows?.(rows);
    } else {
      const { resolve } = this.#waiting ?? {};
      this.#waiting = null;
      resolve?.(answer);
    }
  }
}
