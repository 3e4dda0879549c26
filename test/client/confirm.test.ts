/**
 * The question before a step that stops or deletes something, on a real terminal (util-linux's `script` makes one).
 * Rule: the keys are pressed only after the question is on the screen; nothing is timed.
 */
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';

const client = join(__dirname, '..', '..', 'client');
/** What every command does with its confirmation: ask, and turn whatever ends it into words and an exit code. */
const asking = `
  const { confirm } = await import('${client}/confirm.ts');
  const { openScreen, report } = await import('${client}/screen.ts');
  await confirm(openScreen(false), 'It stops erp-db.', 'erp-db', false)
    .then(() => console.log('sent'), (error) => { process.exitCode = report(error, false); });`;

const haveTerminal = spawnSync('script', ['--version']).status === 0;
if (!haveTerminal) process.stderr.write('skipped: no "script" (util-linux) to make a terminal with\n');
const onTerminal = haveTerminal ? test : test.skip;

interface Ended {
  readonly code: number;
  readonly shown: string;
}

/** Asks on a terminal and presses the keys once the question stands there. */
function answered(keys: string): Promise<Ended> {
  const { NODE_OPTIONS: _ours, HOMEWARD_DEBUG: _debug, ...env } = process.env;
  const child = spawn('script', ['-qec', `"${process.execPath}" --input-type=module -e "$ASKING"`, '/dev/null'], {
    env: { ...env, ASKING: asking, NO_COLOR: '1' },
  });
  let shown = '';
  let pressed = false;
  child.stdout.on('data', (chunk: Buffer) => {
    shown += chunk.toString();
    if (pressed || !shown.includes('Type "erp-db" to go on: ')) return;
    pressed = true;
    child.stdin.write(keys);
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code: code ?? -1, shown }));
  });
}

onTerminal.each([
  ['Ctrl-C', '\u0003'],
  ['Ctrl-C after half a word', 'erp\u0003'],
  ['Ctrl-D', '\u0004'],
])('S2 %s at the confirmation says that nothing was sent, and exits 130', async (_what, keys) => {
  const { code, shown } = await answered(keys);
  expect(shown).toContain('homeward: nothing was sent');
  expect(shown).not.toMatch(/^sent|Abort|^\s+at /m);
  expect(code).toBe(130);
});

onTerminal('S2 S002-11 only the exact word sends it; any other sends nothing and exits 3', async () => {
  expect(await answered('erp-db\r')).toMatchObject({ code: 0, shown: expect.stringMatching(/^sent/m) });
  const wrong = await answered('y\r');
  expect(wrong).toMatchObject({ code: 3, shown: expect.stringContaining('nothing was sent: it was not confirmed') });
});
