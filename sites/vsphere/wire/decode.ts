/**
 * Turns what the `soap` package parsed into plain values of our table, so that nothing of the package's shapes goes further.
 * Rule: lists are lists whenever the table says so, references are `{type, value}`, anyType is converted by its xsi:type
 * whatever prefix the server chose; an unknown subtype is read as its declared base and keeps its name. Never echoes a returned object.
 */
import { corrupt } from '../../../model/failure.ts';
import { fieldsOf, fieldType, isKnownType, type MethodName, methodEntry, type Ref } from './shapes.ts';

type Parsed = Readonly<Record<string, unknown>>;

const unreadable = (subject: string, message: string): Error =>
  corrupt({
    op: 'vim decode',
    subject,
    message,
    hint: 'vCenter answered in a way Homeward does not know: report it with this message.',
  });

const isObject = (value: unknown): value is Parsed =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

function attributesOf(value: unknown): Parsed {
  const attributes = isObject(value) ? value.attributes : undefined;
  return isObject(attributes) ? attributes : {};
}

const localName = (qualified: string): string => qualified.slice(qualified.indexOf(':') + 1);

/** The xsi:type without its prefix. vCenter binds `xsi`, other servers bind another prefix to the same namespace. */
export function xsiTypeOf(value: unknown): string | undefined {
  for (const [name, type] of Object.entries(attributesOf(value)))
    if (name.includes(':') && localName(name) === 'type' && typeof type === 'string') return localName(type);
  return undefined;
}

function textOf(value: unknown): string {
  if (isObject(value)) return value.$value === undefined ? '' : String(value.$value);
  return value === undefined || value === null ? '' : String(value);
}

function decodeRef(value: unknown, where: string): Ref {
  const type = attributesOf(value).type;
  const name = textOf(value);
  if (typeof type !== 'string' || name === '')
    throw unreadable(where, 'a managed object reference has no type or no name');
  return { type, value: name };
}

function decodeNumber(text: string, where: string): number {
  const number = Number(text);
  if (text === '' || !Number.isSafeInteger(number))
    throw unreadable(where, `"${text}" is not a whole number below 2^53`);
  return number;
}

/** `undefined`: not a scalar. */
function decodeScalar(type: string, value: unknown, where: string): string | number | boolean | undefined {
  const text = textOf(value);
  if (['int', 'long', 'short', 'byte'].includes(type)) return decodeNumber(text, where);
  if (type === 'boolean') return text === 'true' || text === '1';
  return ['string', 'dateTime'].includes(type) ? text : undefined;
}

const listOf = (value: unknown): readonly unknown[] =>
  value === undefined || value === null ? [] : Array.isArray(value) ? value : [value];

function decodeAny(value: unknown, where: string): unknown {
  const type = xsiTypeOf(value);
  if (type === undefined) return isObject(value) ? undefined : textOf(value);
  if (type === 'ManagedObjectReference') return decodeRef(value, where);
  if (type.startsWith('ArrayOf') && isObject(value)) {
    const item = type.slice('ArrayOf'.length);
    const inside = Object.entries(value).find(([name]) => name !== 'attributes' && name !== '$value')?.[1];
    const declared = item === 'ManagedObjectReference' ? 'ref' : isKnownType(item) ? item : item.toLowerCase();
    return listOf(inside).map((one) => decodeOne(declared, one, `${where}[]`));
  }
  if (isKnownType(type)) return decodeType(type, value, where);
  // What is left are enumerations and scalars; an enumeration's type is not in the table, its value is its text.
  return decodeScalar(type, value, where) ?? textOf(value);
}

function decodeOne(type: string, value: unknown, where: string): unknown {
  if (type === 'any') return decodeAny(value, where);
  if (type === 'ref') return decodeRef(value, where);
  return isKnownType(type) ? decodeType(type, value, where) : (decodeScalar(type, value, where) ?? textOf(value));
}

function decodeType(declared: string, value: unknown, where: string): unknown {
  const named = xsiTypeOf(value) ?? declared;
  const actual = isKnownType(named) ? named : declared;
  const parsed = isObject(value) ? value : {};
  const out: Record<string, unknown> = { $type: named };
  for (const [name, text] of fieldsOf(actual)) {
    const field = fieldType(text);
    const at = `${where}.${name}`;
    const found = parsed[name];
    if (field.list) out[name] = listOf(found).map((item) => decodeOne(field.name, item, at));
    // An empty element is parsed as null: an empty string is a value, anything else that is empty is absent.
    else if (found !== undefined && (found !== null || field.name === 'string' || isKnownType(field.name)))
      out[name] = decodeOne(field.name, found, at);
  }
  return out;
}

/** Decodes what a call returned; `parsed` is the content of `<…Response>`. */
export function decodeReturned(method: MethodName, parsed: unknown): unknown {
  const { returns } = methodEntry(method);
  const returnval = isObject(parsed) ? parsed.returnval : undefined;
  if (returns === 'void') return undefined;
  const field = fieldType(returns);
  if (field.list) return listOf(returnval).map((item) => decodeOne(field.name, item, method));
  if (returnval === undefined || returnval === null) {
    if (field.optional) return undefined;
    throw unreadable(method, 'the answer holds no value');
  }
  return decodeOne(field.name, returnval, method);
}

/** Decodes the child of a SOAP fault's detail: `<NoPermissionFault xsi:type="NoPermission">`. */
export const decodeFault = (element: string, value: unknown): Parsed & { readonly $type: string } => {
  const decoded = decodeType('MethodFault', value, element) as Parsed & { readonly $type: string };
  return xsiTypeOf(value) === undefined ? { ...decoded, $type: element.replace(/Fault$/, '') } : decoded;
};
