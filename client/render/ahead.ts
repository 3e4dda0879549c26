/**
 * What lies ahead, in words: how long the copy takes, what completing costs, the limit in force.
 * Rule: every forecast is told with its band, and what is assumed rather than measured is said to be.
 */
import {
  type CompletionForecast,
  type CopyForecast,
  changesUnknown,
  type OutageForecast,
} from '../../model/forecast.ts';
import type { ProgressLimit, TransferProgress } from '../../model/progress.ts';
import type { RereadCost } from '../../model/scrub.ts';
import type { View } from '../view.ts';
import { bytes, forecast, rate, secondsText } from './figures.ts';

/** `about 45.0 MiB (…) are still to be moved; the outage will be about 91 s (…)`. */
export const completionText = ({ bytes: left, ...outage }: CompletionForecast): string =>
  changesUnknown(left)
    ? `up to ${bytes(left.high)} to move, no round has shown yet how much changes; ${withoutMiddle(outage)}${unsureText(outage)}`
    : `${forecast(left, bytes)} to move, ${outageText(outage)}${unsureText(outage)}`;

const withoutMiddle = ({ outageSeconds: { low, high }, reread }: OutageForecast): string =>
  `${secondsText(low)} to ${secondsText(high)} of outage${rereadText(reread)}`;

/** Before the first round is done: the band is open upwards, and that is said. */
export const earlyOutageText = (outage: OutageForecast, during?: CopyForecast): string =>
  `${outageText(outage)}, ${during ? copyWithin(during) : openUpwards}${unsureText(outage)}`;

const openUpwards = 'and longer by what changes while the first copy runs, which is known after it';

/** Every disk is copied in full inside the outage, so that its bytes are known to lie below their sizes and no better. */
const copyWithin = ({ bytes: all, seconds }: CopyForecast): string =>
  seconds
    ? `with the copy of every disk inside it, of up to ${bytes(all.high)} at the rate of the last run`
    : `and longer by the copy of every disk, of up to ${bytes(all.high)}, which lies inside it and is known once the lists are read`;

/** The copy that lies inside the outage. */
export const copyInside = ({ status, copy }: Pick<View, 'status' | 'copy'>): CopyForecast | undefined =>
  status?.sync === 'during' ? copy : undefined;

/** Of an outage that has begun. */
export const outageInAllText = (outage: OutageForecast): string => `${outageText(outage)} in all${unsureText(outage)}`;

const outageText = ({ outageSeconds, reread }: OutageForecast): string =>
  `${forecast(outageSeconds, secondsText)} of outage${rereadText(reread)}`;

const unsureText = ({ assumed }: OutageForecast): string =>
  assumed.length === 0
    ? ''
    : `; ${list(assumed)} assumed, no run has measured ${assumed.length > 1 ? 'them' : 'it'} yet`;

function rereadText(cost: RereadCost | undefined): string {
  if (!cost) return '';
  const pace = cost.measured ? 'at the pace of the scrub' : 'at a pace that is assumed until a scrub has measured it';
  return `, ${secondsText(cost.seconds)} of it to read all ${bytes(cost.bytes)} again (policy reread), ${pace}`;
}

const list = (names: readonly string[]): string => {
  const last = names.at(-1) ?? '';
  return names.length > 1 ? `${names.slice(0, -1).join(', ')} and ${last} are` : `${last} is`;
};

/** How much the copy has to move and how long it takes; before the lists are read only the bound is known. */
export function copyText({ listed, bytes: all, barBytes, seconds, stands, atLimit }: CopyForecast): string {
  if (!listed) {
    const time = seconds ? `, at the rate of the last run up to ${secondsText(seconds.high)}` : '';
    const limit = atLimit
      ? `; all of it takes ${secondsText(atLimit.seconds)} or more at the ${rate(atLimit.bytesPerSecond)} that homeward.yaml allows now`
      : '';
    return `To move: between ${bytes(all.low)} and ${bytes(all.high)}${time}${limit}; known once the lists are read.`;
  }
  const noTime = stands ? 'how long it takes is known once every copy is carried on' : 'no rate yet';
  const time = seconds ? `still ${forecast(seconds, secondsText)}` : noTime;
  return `To move: ${bytes(all.likely)}${unlikeBars(all.likely, barBytes)}; ${time}.`;
}

/** Why it is another figure than that of the bars, where it is. */
function unlikeBars(moved: number, barBytes = moved): string {
  const counted = bytes(barBytes);
  if (counted === bytes(moved)) return '';
  return moved < barBytes
    ? ` of the ${counted} above; the rest is zeros or at home already`
    : ` for the ${counted} above, because what lies between close changes is moved with them`;
}

/** The limit that counts: the one that holds a disk back, else the lowest. */
export function limitIn(transfers: readonly TransferProgress[]): ProgressLimit | undefined {
  const limits = transfers.flatMap(({ limit }) => limit ?? []);
  limits.sort((a, b) => Number(b.holdsBack) - Number(a.holdsBack) || a.bytesPerSecond - b.bytesPerSecond);
  return limits[0];
}

export const limitText = ({ bytesPerSecond, by, holdsBack }: ProgressLimit): string =>
  `Limit ${rate(bytesPerSecond)} by ${by}, which ${holdsBack ? 'holds the copy back' : 'does not hold the copy back'}.`;
