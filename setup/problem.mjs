/**
 * A set-up that cannot go on, in words for a person.
 * Rule: it always says what to do next.
 * Never carries a stack trace to the screen.
 */
export class SetUpProblem extends Error {
  /** @param {string} what @param {string} next */
  constructor(what, next) {
    super(`${what}\n${next}`);
    this.name = 'SetUpProblem';
  }
}
