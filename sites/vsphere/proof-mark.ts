/**
 * The mark of a machine that is set up to be proven apart from everybody: while it is there, nobody starts it for its users.
 */
import type { Vim } from './wire/shapes.ts';

/** Holds how the machine is to be put back; empty or absent when it is not set up. */
export const proofKey = 'homeward.proof';

export const hasProof = ({ extraConfig }: { readonly extraConfig: readonly Vim<'OptionValue'>[] }): boolean =>
  extraConfig.some(({ key, value }) => key === proofKey && value !== undefined && value !== '');
