/**
 * A set-up that cannot go on, in words for a person.
 * Rule: it always says what to do next.
 * Never carries a stack trace to the screen.
 */
export class SetUpProblem extends Error {
  /** @param {string} what @param {string} next @param {number} [code] the exit code: 2 where the command line is wrong */
  constructor(what, next, code = 1) {
    super(`${what}\n${next}`);
    this.name = 'SetUpProblem';
    this.code = code;
  }
}
