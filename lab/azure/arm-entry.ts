/**
 * What a route of a resource type is made of, and the pieces several types share: reads, long-running verbs, grants.
 * Rule: an operation is accepted only after its resource was looked at, and done only after its effect was witnessed.
 */
import type { FaultAction } from './faults.ts';
import type { Grantable } from './grants.ts';
import type { Answer, Form, Operations } from './operations.ts';
import { badRequest } from './refusal.ts';
import type { Shapes } from './shapes.ts';
import type { World } from './world.ts';

export interface Request {
  readonly method: string;
  readonly url: URL;
  readonly body: Record<string, unknown>;
  readonly fault: FaultAction | undefined;
}

export interface Entry {
  readonly name: string;
  readonly right: string;
  act(request: Request): Promise<Answer>;
}
export type Entries = Readonly<Record<string, Entry>>;

/** Told after each completed effect; the operation is reported done only when it returned. */
export type Witness = (op: string, resource: string, vm?: string) => Promise<void>;

/** What the entries of every resource type work with. */
export interface ArmParts {
  readonly world: World;
  readonly shapes: Shapes;
  readonly operations: Operations;
  readonly witness: Witness;
}

export const ok = (body: unknown): Answer => ({ status: 200, body });

export const read = (name: string, act: (request: Request) => Promise<Answer>): Entry => ({ name, right: 'read', act });

/** Looks at the resource (404 when it is not there) before the operation is accepted. */
export const before = <T>(find: () => T, look: (found: T) => void, entry: Entry): Entry => ({
  ...entry,
  act: async (request) => {
    look(find());
    return await entry.act(request);
  },
});

/** Azure's names do not care about case. */
export const sameName = (one: string, other: string): boolean => one.toLowerCase() === other.toLowerCase();

/** 60 days. */
const longestGrantSeconds = 5_184_000;

export interface LongVerb {
  readonly form: Form;
  readonly effect: string;
  readonly resource: string;
  readonly fault: FaultAction | undefined;
  readonly first?: unknown;
  readonly vm?: string;
  /** What is left behind when the operation fails. */
  readonly failed?: () => void;
}

/** Starts a long-running operation whose effect is witnessed before it is reported done. */
export function startVerb({ operations, witness }: ArmParts, verb: LongVerb, act: () => Promise<unknown>): Answer {
  const run = async (): Promise<unknown> => {
    const result = await act();
    await witness(verb.effect, verb.resource, verb.vm);
    return result;
  };
  return operations.start(verb.form, run, {
    fail: verb.fault?.lroFail,
    ...(verb.failed === undefined ? {} : { failed: verb.failed }),
    ...(verb.first === undefined ? {} : { first: verb.first }),
  });
}

/** Gives access to a disk or snapshot by a signature (beginGetAccess). `find` refuses what may not be granted. */
export function beginAccess(
  parts: ArmParts,
  kind: string,
  id: string,
  find: (access: Grantable['access']) => Grantable,
): Entry {
  return {
    name: 'grantAccess',
    right: 'beginGetAccess/action',
    act: async ({ body, fault }) => {
      const { access } = body;
      if (access !== 'Read' && access !== 'Write')
        throw badRequest(`The value '${String(access)}' of parameter 'access' is invalid: Read or Write.`);
      const seconds = Number(body.durationInSeconds);
      if (!Number.isInteger(seconds) || seconds < 1 || seconds > longestGrantSeconds)
        throw badRequest("Required parameter 'durationInSeconds' is missing or not from 1 to 5184000.");
      find(access);
      // Looked at again when it takes effect: the machine may have been started meanwhile.
      const grant = async () => {
        const { on, name, family } = find(access);
        return { accessSAS: parts.world.grants.begin(on, name, family, seconds, access).url };
      };
      return startVerb(parts, { form: 'both', effect: `${kind}.grantAccess`, resource: id, fault }, grant);
    },
  };
}

/** Takes the access back (endGetAccess). `look` finds what it is on, and refuses what must not be closed yet. */
export function endAccess(
  parts: ArmParts,
  kind: string,
  id: string,
  look: () => { on: string; closed?: () => void },
): Entry {
  return {
    name: 'revokeAccess',
    right: 'endGetAccess/action',
    act: async ({ fault }) => {
      look();
      return startVerb(parts, { form: 'location', effect: `${kind}.revokeAccess`, resource: id, fault }, async () => {
        const { on, closed } = look();
        parts.world.grants.end(on);
        closed?.();
      });
    },
  };
}
