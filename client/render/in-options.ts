/**
 * What the run says of its messages, in the options of the command line: the run speaks of the JSON that Temporal takes.
 * Rule: only what has an option is put into other words; everything else stays as it was said.
 */

/** `"acceptLoss": true` becomes `--accept-loss`, `"action": "retry"` becomes `--retry`, `"evidence": "x"` becomes `--evidence x`. */
export const inOptions = (reason: string): string =>
  reason
    .replace(/"acceptLoss": ?true/g, '--accept-loss')
    .replace(/"action": ?"(retry|undo|skip)"/g, '--$1')
    .replace(/"(retry|undo|skip)"/g, '--$1')
    .replace(/"evidence": ?"([^"]*)"/g, (_all, digest: string) => `--evidence ${digest}`.trimEnd());
