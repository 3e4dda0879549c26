/**
 * The JSON Schema of homeward.yaml, for editors and for hints; made from the one schema in model/inventory.ts.
 * Rule: nothing is written by hand here; docs/homeward.schema.json is this function's output and a test compares them.
 */
import { z } from 'zod';
import { inventory } from '../model/inventory.ts';

export interface SchemaNode {
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly additionalProperties?: SchemaNode | boolean;
  readonly items?: SchemaNode;
  readonly anyOf?: readonly SchemaNode[];
  readonly oneOf?: readonly SchemaNode[];
  readonly const?: unknown;
  readonly [other: string]: unknown;
}

/** The schema of what a person may write (defaults are optional). */
export function inventorySchema(): SchemaNode {
  const generated = z.toJSONSchema(inventory, { io: 'input', reused: 'inline' }) as SchemaNode;
  return { title: 'homeward.yaml', description: 'The inventory of Homeward. See docs/operate.md.', ...generated };
}

/** The text of docs/homeward.schema.json; regenerate with `homeward config schema > docs/homeward.schema.json`. */
export const inventorySchemaText = (): string => `${JSON.stringify(inventorySchema(), null, 2)}\n`;

const choices = (node: SchemaNode): SchemaNode[] => [
  node,
  ...[...(node.anyOf ?? []), ...(node.oneOf ?? [])].flatMap(choices),
];

/** Leaves of a union that say another `kind` than the value does are not what the writer meant. */
function fits(node: SchemaNode, value: unknown): boolean {
  const wanted = node.properties?.kind?.const;
  const said = (value as { kind?: unknown } | undefined)?.kind;
  return wanted === undefined || said === undefined || wanted === said;
}

const below = (value: unknown, key: string): unknown =>
  typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;

/** What `kind` may say at a path. */
export const knownKinds = (path: readonly string[]): unknown[] =>
  nodesAt(path, undefined)
    .map((node) => node.properties?.kind?.const)
    .filter((kind) => kind !== undefined);

/** The keys that may stand at a path of this value, by the schema. Empty where any key may stand. */
export const knownKeys = (path: readonly string[], value: unknown): string[] => [
  ...new Set(nodesAt(path, value).flatMap((node) => Object.keys(node.properties ?? {}))),
];

/** The schema's nodes at a path, without those that the value's own `kind` rules out. */
function nodesAt(path: readonly string[], value: unknown): SchemaNode[] {
  let nodes = [inventorySchema()];
  let current = value;
  for (const segment of path) {
    nodes = nodes.flatMap(choices).flatMap((node) => {
      if (!fits(node, current)) return [];
      const named = node.properties?.[segment];
      if (named) return [named];
      if (node.items) return [node.items];
      return typeof node.additionalProperties === 'object' ? [node.additionalProperties] : [];
    });
    current = below(current, segment);
  }
  return nodes.flatMap(choices).filter((node) => fits(node, current));
}
