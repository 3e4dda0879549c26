/**
 * Bugs planted in what a seal does that stops or is asked again, and in what a target says of itself.
 */
import { bug, type PlantedBug } from './bug.ts';

const again = 'test/disk/seal-again.test.ts';
const sparse = 'test/disk/sparse.test.ts';

export const sealBugs: readonly PlantedBug[] = [
  bug(
    'S4',
    'disk/seal.ts',
    'const held = await goOn(grip, grip.view);',
    'await options.openSource(grip.signal);\n    const held = await goOn(grip, grip.view);',
    again,
    'given no grant',
  ),
  bug(
    'S3',
    'disk/lineage.ts',
    "if (state.phase === 'sealed') return sealedYetOpen;",
    '',
    again,
    'carries our open marker',
  ),
  bug(
    'S9',
    'disk/lineage.ts',
    "if (uses >= seals || (phase === 'sealed' && marker?.id === id)) return;",
    'if (uses >= seals) return;',
    again,
    'carries our open marker',
  ),
  bug(
    'S8',
    'disk/lineage.ts',
    "(phase === 'sealed' && marker?.id === id)",
    "(phase === 'sealed' && marker !== undefined)",
    again,
    'the open marker of another copy',
  ),
  bug(
    'S3',
    'disk/seal-record.ts',
    'if (!view.known || view.journal.records === 1) return proof;',
    'if (proof) return proof;',
    again,
    'whose last record',
  ),
  bug('S4', 'disk/seal.ts', 'await held.target.flush();\n    return', 'return', again, 'is flushed and looked at'),
  bug(
    'S4',
    'disk/seal.ts',
    'if (found === undefined || (found.id',
    'if (found !== undefined && (found.id',
    again,
    'in the boot sector itself',
  ),
  bug(
    'S8',
    'disk/seal.ts',
    'if (halfway) await recognise(held, withheld);',
    'if (halfway) held.signal.throwIfAborted();',
    again,
    'leaves a disk alone that it does not know',
  ),
  bug('S8', 'disk/seal.ts', "if (because.kind === 'Fenced') return;", '', again, 'writes nothing more'),
  bug(
    'S8',
    'disk/seal.ts',
    "if (found === undefined && first === 'marked')",
    "if (found === undefined && because.message === '')",
    again,
    'writes nothing more',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    'await compareBlocks(held, withheld, header);\n',
    '',
    'test/disk/seal-order.test.ts',
    'a lost write of the',
  ),
  bug('S3', 'disk/seal.ts', 'filledBy(read);', '', 'test/disk/block-pool.test.ts', 'reaches no other disk'),
  bug('S3', 'disk/copy-block.ts', 'filledBy(read);', '', 'test/disk/block-pool.test.ts', 'reaches no other disk'),
  bug(
    'S4',
    'disk/seal.ts',
    'if (halfway) await reread();\n    else',
    'if (!halfway)',
    again,
    'with damage found as the disk is read again',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    "if (state.phase === 'sealing' && held.marker !== undefined) await withholdAgain(held);",
    '',
    again,
    'killed behind the partition header',
  ),
  bug(
    'S4',
    'disk/seal.ts',
    "orOpenAgain(held, 'marked', () => held.memory.toRead((space) => held.withholding.open(held.own, space)));",
    'held.memory.toRead((space) => held.withholding.open(held.own, space));',
    again,
    'cannot withhold again what a killed one',
  ),
  bug('S10', 'disk/target-handle.ts', 'await this.main.sync();', '', sparse, 'only once it is flushed'),
  bug(
    'S10',
    'disk/target-disk.ts',
    'ledger.state.blank === true && !(await target.isBlank())',
    'ledger.state.blank === true',
    sparse,
    'counts no blocks at all',
  ),
];
