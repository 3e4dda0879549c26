/**
 * Tables for terminals: columns where they fit, otherwise one block per row.
 * Rule: nothing is cut off to make it fit; on a narrow terminal the table changes its shape instead.
 */
import { pad, paint, plain, type Style, visibleLength, wrap } from './paint.ts';

/** Renders rows below a heading. `colour` may paint one cell; widths are computed from the text alone. */
export function table(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
  colour: (cell: string, column: number) => string = (cell) => cell,
): string {
  const clean = rows.map((row) => row.map(plain));
  const widths = heading.map((title, column) =>
    Math.max(visibleLength(title), ...clean.map((row) => visibleLength(row[column] ?? ''))),
  );
  const total = widths.reduce((sum, width) => sum + width + 2, -2);
  if (total > style.width) return blocks(heading, clean, style, colour);
  const line = (cells: readonly string[]) =>
    cells
      .map((cell, column) => (column === cells.length - 1 ? cell : pad(cell, (widths[column] ?? 0) + 2)))
      .join('')
      .trimEnd();
  const top = line(heading.map((title) => paint(style, 'dim', title.toUpperCase())));
  return [top, ...clean.map((row) => line(row.map(colour)))].join('\n');
}

function blocks(
  heading: readonly string[],
  rows: readonly (readonly string[])[],
  style: Style,
  colour: (cell: string, column: number) => string,
): string {
  const [, ...rest] = heading;
  const label = Math.max(...rest.map((title) => title.length)) + 1;
  const block = (row: readonly string[]) => [
    colour(row[0] ?? '', 0),
    ...rest.flatMap((title, index) => {
      const indent = label + 3;
      const lines = wrap(row[index + 1] ?? '', style.width - indent);
      return lines.map((text, at) => {
        const head = at === 0 ? paint(style, 'dim', pad(`${title}:`, label)) : ' '.repeat(label);
        return `  ${head} ${lines.length === 1 ? colour(text, index + 1) : text}`.trimEnd();
      });
    }),
  ];
  return rows.map((row) => block(row).join('\n')).join('\n');
}
