/**
 * The program the kill test starts: plays a stage of a story of kill-story.ts and dies where its order says.
 * Rule: its only argument is the order as JSON. Never used in the test's own process.
 */
import { type ChildOrder, playToTheKill } from './kill-story.ts';

await playToTheKill(JSON.parse(process.argv[2] ?? '') as ChildOrder);
