/**
 * The program the boot test starts: copies and seals a disk as it is told, and dies where its order says.
 * Rule: its only argument is the order as JSON. Never used in the test's own process.
 */
import { type CopyOrder, playToTheStop } from './copy-story.ts';

await playToTheStop(JSON.parse(process.argv[2] ?? '') as CopyOrder);
