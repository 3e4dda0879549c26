/**
 * Says what the set-up is waiting for, with the seconds that have passed.
 * Rule: nothing is printed before a step has lasted a moment, so that a finished set-up stays silent.
 * Never writes to standard output: that belongs to the program that is run.
 */
const momentMs = 400;

export class Progress {
  #steps = new Map();
  #timer;
  #quiet;
  #tty = process.stderr.isTTY === true;
  #lastLineAt = 0;
  #drawn = false;

  constructor({ quiet = false } = {}) {
    this.#quiet = quiet;
  }

  /** Runs `work` as a step called `label`; the label is a phrase such as "building the Temporal server". */
  async during(label, work) {
    const begunAt = Date.now();
    const step = { label, begunAt };
    this.#steps.set(step, begunAt);
    this.#start();
    try {
      const result = await work();
      if (Date.now() - begunAt > 5_000) this.say(`${label}: done after ${seconds(begunAt)}`);
      return result;
    } finally {
      this.#steps.delete(step);
      if (this.#steps.size === 0) this.#stop();
    }
  }

  /** One whole line, whatever is being drawn. */
  say(text) {
    if (this.#quiet) return;
    this.#clear();
    process.stderr.write(`set-up: ${text}\n`);
  }

  #start() {
    if (this.#quiet || this.#timer !== undefined) return;
    this.#lastLineAt = Date.now() - (this.#tty ? 0 : 14_000);
    this.#timer = setInterval(() => this.#draw(), this.#tty ? 1_000 : 500);
    this.#timer.unref();
  }

  #stop() {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#clear();
  }

  #draw() {
    const running = [...this.#steps.keys()].filter((step) => Date.now() - step.begunAt > momentMs);
    if (running.length === 0) return;
    const text = `set-up: ${running.map((step) => `${step.label} (${seconds(step.begunAt)})`).join(', ')}`;
    if (this.#tty) {
      process.stderr.write(`\r\x1b[2K${text.slice(0, (process.stderr.columns ?? 80) - 1)}`);
      this.#drawn = true;
    } else if (Date.now() - this.#lastLineAt >= 15_000) {
      this.#lastLineAt = Date.now();
      process.stderr.write(`${text}\n`);
    }
  }

  #clear() {
    if (this.#drawn) process.stderr.write('\r\x1b[2K');
    this.#drawn = false;
  }
}

const seconds = (sinceMs) => `${Math.round((Date.now() - sinceMs) / 1000)} s`;
