/**
 * A figure that is said beforehand, the band it is expected in, and how far both lay from what became true.
 * Rule: pure arithmetic; what a figure means its user says. Never says a figure without its band.
 */

/** A figure and between what it is expected to end; nine of ten should. */
export interface Band {
  readonly likely: number;
  readonly low: number;
  readonly high: number;
}

export const exactly = (figure: number): Band => ({ likely: figure, low: figure, high: figure });

export const sum = (...bands: readonly Band[]): Band => ({
  likely: bands.reduce((total, one) => total + one.likely, 0),
  low: bands.reduce((total, one) => total + one.low, 0),
  high: bands.reduce((total, one) => total + one.high, 0),
});

/** How far what was said lay from what became true, in percent of the truth; whole numbers. */
export const errorPercent = (said: number, became: number): number =>
  Math.round((Math.abs(said - became) * 100) / Math.max(became, 1e-9));

export const within = (band: Band, figure: number): boolean => band.low <= figure && figure <= band.high;
