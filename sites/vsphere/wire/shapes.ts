/**
 * The tables as TypeScript types and as look-ups: what a `VirtualDisk` is to the compiler, and which type derives from which.
 * Rule: nothing here is written twice; add a field to the table and it appears here.
 */

import { type TypeEntry, typesTable } from './data-table.ts';
import { type MethodEntry, methodsTable } from './method-table.ts';

/** A managed object reference: `{type: 'VirtualMachine', value: 'vm-42'}`. */
export interface Ref {
  readonly type: string;
  readonly value: string;
}

type Table = typeof typesTable;
export type TypeName = keyof Table;
export type MethodName = keyof typeof methodsTable;

interface Scalars {
  string: string;
  int: number;
  long: number;
  boolean: boolean;
  dateTime: string;
  ref: Ref;
  any: unknown;
}

type Value<T> = T extends `${infer Item}[]`
  ? readonly Value<Item>[]
  : T extends `${infer Item}?`
    ? Value<Item>
    : T extends keyof Scalars
      ? Scalars[T]
      : T extends TypeName
        ? Vim<T>
        : never;

type Inherited<N extends TypeName> = Table[N]['base'] extends TypeName ? Fields<Table[N]['base']> : unknown;
type Fields<N extends TypeName> = {
  readonly [K in keyof Table[N]['fields']]?: Value<Table[N]['fields'][K]>;
} & Inherited<N>;

/** A value of a VIM type. `$type` is its most derived type; every field may be absent in what the server sends. */
export type Vim<N extends TypeName> = Fields<N> & { readonly $type?: string };

type MethodTable = typeof methodsTable;
export type Arguments<M extends MethodName> = {
  readonly [K in keyof MethodTable[M]['args']]?: Value<MethodTable[M]['args'][K]>;
};
export type Returned<M extends MethodName> = MethodTable[M]['returns'] extends 'void'
  ? undefined
  : MethodTable[M]['returns'] extends `${infer Name}?`
    ? Value<Name> | undefined
    : Value<MethodTable[M]['returns']>;

const types: Readonly<Record<string, TypeEntry>> = typesTable;
const methods: Readonly<Record<string, MethodEntry>> = methodsTable;

export const isKnownType = (name: string): name is TypeName => Object.hasOwn(types, name);
export const methodEntry = (name: MethodName): MethodEntry => methods[name] as MethodEntry;

/** The type and its bases, the root first. */
export function chainOf(name: string): string[] {
  const chain: string[] = [];
  for (let at: string | null = name; at !== null; at = types[at]?.base ?? null) chain.unshift(at);
  return chain;
}

/** All fields of a type in schema order: base first. */
export function fieldsOf(name: string): [field: string, type: string][] {
  return chainOf(name).flatMap((link) => Object.entries(types[link]?.fields ?? {}));
}

export interface FieldType {
  readonly name: string;
  readonly list: boolean;
  readonly optional: boolean;
}

/** `'OptionValue[]'` → `{name: 'OptionValue', list: true, …}`. */
export function fieldType(text: string): FieldType {
  const list = text.endsWith('[]');
  const optional = text.endsWith('?') || list;
  return { name: text.replace(/(\[\]|\?)$/, ''), list, optional };
}

/** Whether a decoded value is of this type or one derived from it. */
export function isA<N extends TypeName>(value: { readonly $type?: string } | undefined, name: N): value is Vim<N> {
  return value?.$type !== undefined && chainOf(value.$type).includes(name);
}
