/**
 * THE LAW, about what may be advised: which other point a run would take home, were it asked now.
 * Rule: advice is built from the law alone, so that nobody is told to say what is refused.
 */
import { type PointChoice, pointChoices } from './point.ts';
import { callOperator, objectionTo, type Story, type Trouble } from './transition.ts';

/** With the loss accepted where something would be lost; undefined where the law takes no other point. */
export function otherPoint(story: Story): PointChoice | undefined {
  // What the watch over the source found stands against it: the look before the change would refuse.
  if (story.trouble?.watch) return undefined;
  const loss = story.targetLive ? { acceptLoss: true } : {};
  return pointChoices.find(
    (point) => objectionTo(story, { name: 'changePoint', by: 'you', point, ...loss }) === undefined,
  );
}

/** The trouble with another point beside its other ways out, where the law will take one once an operator is called. */
export function withOtherPoint<T extends Trouble>(story: Story, trouble: T): T {
  const point = otherPoint(callOperator(story, trouble));
  if (point === undefined) return trouble;
  return {
    ...trouble,
    hint: `${trouble.hint} For the ${point} point of the source instead: change-point (homeward failback change-point).`,
  };
}
