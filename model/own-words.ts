/**
 * What parts of Homeward tell a story by signal: the rounds their failback, the workers whoever has a step of theirs.
 * Rule (S7): anybody can send such a signal by hand, and it stays in the history, so that one which nothing can be made of would
 * stop the run for good: what is not in its shape is not heard. Only what a handler reads is looked at. Pure.
 */
import { type ZodType, z } from 'zod';

const text = z.string();
const pass = z.looseObject({ pass: z.number(), bytes: z.number(), startedAt: text, endedAt: text });
const summary = z.looseObject({ after: z.number(), takenAt: text });

const shapes = {
  seeded: z
    .looseObject({ number: z.number(), changedBytes: z.number(), copiedBytes: z.number(), durationMs: z.number() })
    .optional(),
  convergence: z.looseObject({
    converges: z.boolean(),
    changedBytesPerSecond: z.number(),
    movedBytesPerSecond: z.number(),
    round: z.number(),
  }),
  sourceTurned: z.boolean(),
  points: z
    .looseObject({
      applicationPoints: z.array(summary).optional(),
      taken: summary.optional(),
      pointTrouble: z.looseObject({ at: text, message: text, hint: text }).optional(),
    })
    .refine(({ taken, pointTrouble }) => taken !== undefined || pointTrouble !== undefined),
  scrubbed: z.looseObject({ disk: text, damages: z.number(), last: pass.optional(), damage: text.optional() }),
  copiedAgain: z.looseObject({ disk: text, because: text, hint: text }),
  steered: z.looseObject({ activityId: text, paused: z.boolean(), since: text }),
} as const satisfies Readonly<Record<string, ZodType>>;

export const isInShape = (name: string, told: unknown): boolean =>
  !(name in shapes) || shapes[name as keyof typeof shapes].safeParse(told).success;

/** Why such a signal is refused. */
export const notOurs = 'parts of Homeward tell each other so, and what it says is not in its shape';
