/**
 * What is wrong with the configuration, told with file, line, column and key, all of it at once.
 * Rule: a problem names keys and positions; it never repeats a value that stands where a secret belongs (S13).
 */
import { Failure } from '../model/failure.ts';

export interface ConfigProblem {
  readonly file: string;
  /** 1-based; absent when the file could not be read at all. */
  readonly line?: number;
  readonly column?: number;
  /** Dotted path of keys: `machines.erp-db.mover`. Empty for the file as a whole. */
  readonly key: string;
  readonly message: string;
}

/** `homeward.yaml:12:5 machines.erp-db.mover: no mover is called "m2" (known: m1)` */
export function describeProblem(problem: ConfigProblem): string {
  const place = problem.line === undefined ? problem.file : `${problem.file}:${problem.line}:${problem.column ?? 1}`;
  return problem.key ? `${place} ${problem.key}: ${problem.message}` : `${place}: ${problem.message}`;
}

/** The inventory cannot be used. Carries every problem that was found, in the order of the file. */
export class ConfigError extends Failure {
  readonly problems: readonly ConfigProblem[];

  constructor(file: string, problems: readonly ConfigProblem[]) {
    const count = problems.length === 1 ? '1 problem' : `${problems.length} problems`;
    super('Refused', {
      op: 'load the inventory',
      subject: file,
      message: `${file} has ${count}:\n${problems.map(describeProblem).join('\n')}`,
      hint: 'Correct the file; "homeward config check" reads it again.',
    });
    this.problems = problems;
  }
}
