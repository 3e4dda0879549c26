/**
 * Proving first, where the policy wants it: the sealed machine boots once apart from everybody, and is put back.
 * Rule: it is not live then: nothing that it writes stays, nobody reaches it, and a cancel loses nothing (S5). A proof that
 * fails is left running for a person to look at; it ends with a retry that passes, or with the way back.
 */
import { nothingArrived } from '../model/arrival.ts';
import type { Guest } from '../model/machine.ts';
import { whileAwaiting } from './awaiting.ts';
import { type Journey, ofPower } from './departure.ts';
import { hearGuest, probeOnce, probesFailed, rollBack } from './probing.ts';
import type { Proven } from './proven.ts';
import { controlVerbs, guestVerbs, summary } from './verbs.ts';

export async function proveFirst(journey: Journey, { final, uses }: Pick<Proven, 'final' | 'uses'>): Promise<void> {
  const { input, run, teller, course } = journey;
  if (input.policy.prove !== 'isolated') return;
  const control = controlVerbs(input);
  const { path } = input.target;
  const before = course.undoable;
  course.beforehand('the boot apart from everybody', async () => {
    // Barred first (S4), so that an attempt to start it that comes late finds it so.
    await control.ensureTargetStopped.executeWithOptions(summary(`Undo: stop ${path}`), [ofPower(journey)]);
    await control.ensureProofEnded.executeWithOptions(summary(`Undo: put ${path} back`), [ofPower(journey)]);
  });
  const { probes } = input.policy;
  // From outside nobody reaches it there, this worker included.
  const inside = probes.filter(({ kind }) => kind === 'tools' || kind === 'script');
  await course.step(async () => {
    show(journey, 'under-way');
    await control.ensureProofStarted.executeWithOptions(summary(`Boot ${path} apart from everybody`), [
      { failback: input, run, final, uses },
    ]);
    teller.record('proof-started', 'the machine boots on the isolated network; what it writes there is forgotten', {
      target: path,
    });
    const guest = await hearItApart(journey);
    const failed = inside.length === 0 ? [] : await probeOnce(journey, inside, 'isolated');
    if (failed.length > 0) {
      rollBack(journey, failed);
      throw probesFailed(
        journey,
        failed,
        'It still runs on the isolated network: look at its console. Resolve with retry to probe again, or with undo to go back; nothing went live, so nothing is lost.',
      );
    }
    const off = await control.ensureProofEnded.executeWithOptions(summary(`Power ${path} off and put it back`), [
      ofPower(journey),
    ]);
    teller.record('proven', 'it booted apart from everybody, was powered off and put back; the disks are as sealed', {
      ...{ agent: guest.agent, power: off.powerSeen },
      probes: inside.map(({ name }) => name).join(', '),
      notAskedThere: probes
        .filter((probe) => !inside.includes(probe))
        .map(({ name }) => name)
        .join(', '),
    });
    show(journey, 'proven');
  });
  // S5: from here on the machine may be live, and only an undo that looks for the source first may stop it.
  course.forgetUndosAfter(before);
}

async function hearItApart(journey: Journey): Promise<Guest> {
  const { input, run, teller } = journey;
  const what = `the guest of ${input.target.path} to answer (VMware Tools), apart from everybody`;
  const { guest } = await whileAwaiting(teller, what, input.policy.guestWaitSeconds * 1000, () =>
    hearGuest(journey, () =>
      guestVerbs(input).observeGuest.executeWithOptions(summary('Wait for the guest to answer, apart from everybody'), [
        { failback: input, run, apart: true },
      ]),
    ),
  );
  return guest;
}

const show = ({ teller }: Journey, state: 'under-way' | 'proven'): void =>
  teller.find({
    arrival: { ...(teller.findings.arrival ?? nothingArrived), proof: { state, at: new Date().toISOString() } },
  });
