/**
 * Which IPv4 address a NIC gets under another roof: the same, or that of a rule with its host part kept.
 * Rule: an address no rule fits is told, never left as it was in silence; of several rules the narrowest one counts.
 */

export type AddressRules = 'keep' | Readonly<Record<string, string>>;

function numberOf(address: string): number | undefined {
  const parts = address.split('.').map(Number);
  if (parts.length !== 4 || parts.some((part) => !Number.isInteger(part) || part < 0 || part > 255)) return undefined;
  return parts.reduce((sum, part) => sum * 256 + part, 0);
}

const textOf = (address: number): string =>
  [24, 16, 8, 0].map((shift) => Math.floor(address / 2 ** shift) % 256).join('.');

interface Network {
  readonly start: number;
  readonly bits: number;
}

function networkOf(text: string): Network | undefined {
  const [address = '', bits = ''] = text.split('/');
  const number = numberOf(address);
  const width = Number(bits);
  if (number === undefined || bits === '' || !Number.isInteger(width) || width < 0 || width > 32) return undefined;
  const size = 2 ** (32 - width);
  return { start: Math.floor(number / size) * size, bits: width };
}

/** Why two networks cannot be mapped onto each other; undefined when they can. */
export function ruleFault(from: string, to: string): string | undefined {
  const [there, here] = [networkOf(from), networkOf(to)];
  if (!there || !here) return 'write IPv4 networks such as 10.1.0.0/24';
  return there.bits === here.bits
    ? undefined
    : `${from} and ${to} have different sizes; the host part can only be kept between equal ones`;
}

/** The address by the rules; undefined when no rule fits it. */
export function readdressed(address: string, rules: AddressRules): string | undefined {
  if (rules === 'keep') return address;
  const number = numberOf(address);
  if (number === undefined) return undefined;
  const [best] = Object.entries(rules)
    .flatMap(([from, to]) => {
      const [there, here] = [networkOf(from), networkOf(to)];
      if (!there || !here || there.bits !== here.bits) return [];
      const offset = number - there.start;
      return offset >= 0 && offset < 2 ** (32 - there.bits) ? [{ bits: there.bits, address: here.start + offset }] : [];
    })
    .sort((one, other) => other.bits - one.bits);
  return best && textOf(best.address);
}
